import Raft

/// Majorities a second time, by trying everything instead of sorting: the oracle of
/// `Membership+Quorum`.
struct DumbQuorum {
    /// One set of voters, or the two of a joint membership.
    var halves: [[UInt64]]

    init(_ membership: Membership) {
        halves =
            membership.isJoint ? [membership.voters, membership.outgoing] : [membership.voters]
    }

    /// Of every value that occurs, the highest that more than half of each half have reached.
    func value(_ reached: (UInt64) -> UInt64) -> UInt64 {
        var best: UInt64 = 0
        for candidate in halves.joined().map(reached) where candidate > best {
            if decides({ reached($0) >= candidate }) { best = candidate }
        }
        return best
    }

    func decides(_ holds: (UInt64) -> Bool) -> Bool {
        for half in halves {
            let count = half.filter(holds).count
            if 2 * count <= half.count { return false }
        }
        return true
    }

    /// Whether some way to fill in the missing answers wins, and whether all do.
    func outcome(_ answer: (UInt64) -> Bool?) -> Membership.Outcome {
        let voters = Array(Set(halves.joined())).sorted()
        let open = voters.filter { answer($0) == nil }
        var wins = 0
        for pattern in 0..<(1 << open.count) {
            let isWon = decides { voter in
                answer(voter) ?? (pattern >> (open.firstIndex(of: voter) ?? 0) & 1 == 1)
            }
            if isWon { wins += 1 }
        }
        if wins == 1 << open.count { return .won }
        return wins == 0 ? .lost : .pending
    }
}
