/// Whether a learner keeps up with the leader, in rounds (dissertation, 4.2.1).
///
/// A round brings the learner to where the leader's log ended when the round began. Once a round
/// takes less than an election timeout the learner lacks so little that it can become a voter
/// without a gap in service.
struct CatchUp: Sendable {
    private var goal: UInt64?
    private var ticks = 0
    private var wasFast = false

    /// A round that is slow already says as much as a slow round behind us.
    func hasCaughtUp(electionTicks: Int) -> Bool { wasFast && ticks < electionTicks }

    mutating func tick(match: UInt64, lastIndex: UInt64, electionTicks: Int) {
        ticks += 1
        if let goal {
            guard match >= goal else { return }
            wasFast = ticks <= electionTicks
        }
        goal = lastIndex
        ticks = 0
    }

    mutating func reset() { self = CatchUp() }
}
