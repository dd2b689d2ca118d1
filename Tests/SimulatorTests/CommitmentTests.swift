import Raft
import Simulator
import Testing

/// Who counts as having durably what a leader commits, and who does not.
@Suite struct CommitmentTests {
    private typealias MemberLog = (member: UInt64, log: LogMirror)

    private func initial(
        _ terms: [UInt64], behind index: UInt64 = 0, commit: UInt64 = 0,
        _ membership: Membership = Membership(voters: [1, 2, 3])
    ) -> Raft.InitialState {
        let entries = terms.enumerated().map { offset, term in
            Entry(term: term, index: index + 1 + UInt64(offset), payload: [])
        }
        return Raft.InitialState(
            hardState: HardState(term: 2, vote: 0, commit: commit), membership: membership,
            snapshotIndex: index, snapshotTerm: index == 0 ? 0 : 2, entries: entries,
            applied: index)
    }

    private func log(
        of member: UInt64, _ terms: [UInt64], behind index: UInt64 = 0
    ) -> MemberLog {
        (member, LogMirror(initial(terms, behind: index)))
    }

    /// Member 1 leads term 2 and commits entry 2, which is of term 2 where nothing else is said.
    private func check(
        _ others: [MemberLog], terms: [UInt64] = [1, 2], committed: CommittedLog = CommittedLog(),
        before: Membership? = nil, now: Membership = Membership(voters: [1, 2, 3])
    ) throws(Violation) {
        let leader = Raft(
            Raft.Configuration(id: 1, seed: 1), initial(terms, commit: 2, now))
        try RaftInvariants().committed(
            leader, before: before, committed, durable: [log(of: 1, terms)] + others)
    }

    private func committed(_ terms: [UInt64]) throws -> CommittedLog {
        var log = CommittedLog()
        for (offset, term) in terms.enumerated() {
            let entry = Entry(term: term, index: UInt64(offset) + 1, payload: [])
            _ = try log.applied(entry, by: 4, maxTerm: 2)
        }
        return log
    }

    @Test func durableAtAMajority() throws {
        try check([log(of: 2, [1, 2]), log(of: 3, [1])])
        expectViolation(
            "committed on quorum: 1 commits entry 2/2, which only [1] of [1, 2, 3] hold durably"
        ) {
            try check([log(of: 2, [1]), log(of: 3, [1, 1])])
        }
    }

    /// What a member acknowledged before it lost its log goes on counting, for it alone.
    @Test func lostLogs() throws {
        try check([log(of: 2, []), log(of: 2, [1, 2]), log(of: 3, [])])
        expectViolation("which only [1] of [1, 2, 3]") {
            try check([log(of: 2, []), log(of: 9, [1, 2]), log(of: 3, [])])
        }
    }

    /// A leader that was paused commits what another one committed long ago.
    @Test func heldInASnapshot() throws {
        let others = [log(of: 2, [], behind: 3), log(of: 3, [1])]
        try check(others, committed: committed([1, 2, 2]))
        expectViolation("which only [1] of [1, 2, 3]") { try check(others) }
        expectViolation("which only [1] of [1, 2, 3]") {
            try check(others, committed: committed([1, 1, 2]))
        }
        // A log that reaches back to the entry has to have it.
        expectViolation("which only [1] of [1, 2, 3]") {
            try check([log(of: 2, [1])], committed: committed([1, 2, 2]))
        }
    }

    /// The leader commits, and applies a change of the voters in the same round.
    @Test func votersThatChangedAfterTheCommit() throws {
        let two = [log(of: 2, [1, 2])]
        let more = Membership(voters: [1, 2, 3, 4, 5])
        try check(two, before: Membership(voters: [1, 2, 3]), now: more)
        for before in [nil, more, Membership(voters: [1, 6, 7])] {
            expectViolation("which only [1, 2] of [1, 2, 3, 4, 5]") {
                try check(two, before: before, now: more)
            }
        }
        expectViolation("commits entry 2 of term 1") {
            try check(
                [log(of: 2, [1, 1])], terms: [1, 1], before: Membership(voters: [1, 2, 3]),
                now: more)
        }
    }

    @Test func bothMajoritiesOfAJointMembership() throws {
        let joint = Membership(voters: [1, 4, 5], outgoing: [1, 2, 3])
        try check([log(of: 4, [1, 2]), log(of: 2, [1, 2])], now: joint)
        for other in [UInt64(4), 2] {
            expectViolation("which only [1, \(other)] of [1, 4, 5] and [1, 2, 3] hold durably") {
                try check([log(of: other, [1, 2])], now: joint)
            }
        }
    }

    private func appended(
        _ member: UInt64, _ index: UInt64, term: UInt64 = 2, to leader: UInt64 = 1
    ) -> Message {
        Message(from: member, to: leader, term: term, body: .appended(index: index))
    }

    /// As `check`, of what member 1 was told instead of what others have.
    private func checkTold(
        _ messages: [Message], before: Membership? = nil,
        now: Membership = Membership(voters: [1, 2, 3])
    ) throws(Violation) {
        var acknowledgements = Acknowledgements()
        for message in messages { acknowledgements.heard(message) }
        let leader = Raft(Raft.Configuration(id: 1, seed: 1), initial([1, 2], commit: 2, now))
        try acknowledgements.committed(leader, before: before)
    }

    @Test func toldByAMajority() throws {
        try checkTold([appended(2, 2)])
        // Older news that comes late takes nothing back.
        try checkTold([appended(3, 3), appended(3, 1)])
        let useless: [[Message]] = [
            [], [appended(2, 1), appended(3, 1)], [appended(4, 2)], [appended(2, 2, term: 1)],
            [appended(2, 2, to: 3)],
            [Message(from: 2, to: 1, term: 2, body: .heartbeatResponse(read: 2))],
        ]
        for messages in useless {
            expectViolation(
                "told by a quorum: 1 commits entry 2/2, of which only [1] of [1, 2, 3] have"
            ) {
                try checkTold(messages)
            }
        }
    }

    @Test func toldByBothMajorities() throws {
        let joint = Membership(voters: [1, 4, 5], outgoing: [1, 2, 3])
        try checkTold([appended(2, 2), appended(5, 2)], now: joint)
        for other in [UInt64(2), 5] {
            expectViolation("of which only [1, \(other)] of [1, 4, 5] and [1, 2, 3] have") {
                try checkTold([appended(other, 2)], now: joint)
            }
        }
        // The voters changed in the round, after the commit.
        try checkTold([appended(2, 2)], before: Membership(voters: [1, 2, 3]), now: joint)
        expectViolation("of which only [1, 2]") {
            try checkTold([appended(2, 2)], before: Membership(voters: [1, 2, 6, 7]), now: joint)
        }
    }
}
