/// A member as the leader sees it, for status reports and decisions of the shell.
package struct MemberProgress: Sendable, Hashable {
    package enum State: UInt8, Sendable, Hashable { case probe, replicate, snapshot }

    package var id: UInt64
    package var match: UInt64
    package var next: UInt64
    package var state: State
    /// Heard of since the last check of the quorum.
    package var isActive: Bool
    /// Appends with entries that left and are not acknowledged.
    package var appendsInFlight: Int
    /// Whether a learner lacks so little that it can become a voter.
    package var hasCaughtUp: Bool

    init(_ progress: Progress, electionTicks: Int) {
        id = progress.id
        match = progress.match
        next = progress.next
        isActive = progress.isActive
        appendsInFlight = progress.inflight.count
        hasCaughtUp = progress.catchUp.hasCaughtUp(electionTicks: electionTicks)
        state =
            switch progress.state {
            case .probe: .probe
            case .replicate: .replicate
            case .snapshot: .snapshot
            }
    }
}
