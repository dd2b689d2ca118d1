import Basics

/// What majorities decide. In a joint membership both halves must.
extension Membership {
    /// How an election or a question stands.
    package enum Outcome: Sendable, Hashable { case won, lost, pending }

    /// The highest value that a majority has reached, given each voter's value. Without voters
    /// nothing is ever reached.
    package func quorumValue(_ value: (UInt64) -> UInt64) -> UInt64 {
        let reached = Self.majorityValue(voters, value)
        guard isJoint else { return reached }
        let before = Self.majorityValue(outgoing, value)
        return Mutant.isOn(.eitherHalfCommits) ? max(reached, before) : min(reached, before)
    }

    /// Whether the voters for which `holds` is true are a majority.
    package func isQuorum(_ holds: (UInt64) -> Bool) -> Bool {
        Self.isMajority(voters, holds) && (!isJoint || Self.isMajority(outgoing, holds))
    }

    /// nil stands for no answer yet.
    package func outcome(_ answer: (UInt64) -> Bool?) -> Outcome {
        if isQuorum({ answer($0) == true }) { return .won }
        return isQuorum { answer($0) != false } ? .pending : .lost
    }

    private static func majorityValue(_ voters: [UInt64], _ value: (UInt64) -> UInt64) -> UInt64 {
        guard !voters.isEmpty else { return 0 }
        var values = voters.map(value)
        if !Mutant.isOn(.progressUnsorted) { values.sort(by: >) }
        return values[voters.count / 2 - (Mutant.isOn(.majorityOffByOne) ? 1 : 0)]
    }

    private static func isMajority(_ voters: [UInt64], _ holds: (UInt64) -> Bool) -> Bool {
        var count = 0
        for voter in voters where holds(voter) { count += 1 }
        return count > voters.count / 2
    }
}
