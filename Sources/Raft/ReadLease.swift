import Basics

/// A leader's right to answer reads without asking, where that is configured.
///
/// A voter that answered a heartbeat votes for nobody for an election timeout from when it heard it
/// (`Raft.keepsVote`). So for less than an election timeout after the leader asked a majority that
/// then answered, nobody else can have been elected; if the clocks agree on how long that is
/// (dissertation, 6.4.1).
struct ReadLease: Sendable {
    /// When the newest round that a majority answered was begun.
    private var begun: UInt64?
    private var isBroken = false

    mutating func renew(_ roundBegun: UInt64) { begun = max(begun ?? 0, roundBegun) }

    /// Asked to campaign, a voter does so whatever others heard, and perhaps long after it was
    /// asked: there are no leases any more in this term.
    mutating func breakForTerm() { isBroken = true }

    func holds(at now: UInt64, for nanoseconds: UInt64) -> Bool {
        guard let begun, !isBroken, now >= begun else { return false }
        return now - begun < (Mutant.isOn(.leaseTooLong) ? 8 * nanoseconds : nanoseconds)
    }
}
