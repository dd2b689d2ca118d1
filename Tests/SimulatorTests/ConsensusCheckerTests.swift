import Basics
import Keyspace
import Raft
import Simulator
import Testing

/// The watcher of replicas against what must never happen.
@Suite struct ConsensusCheckerTests {
    @Test func twoLeadersOfOneTerm() throws {
        var checker = ConsensusChecker()
        try checker.elected(raft(1, terms: []))
        #expect(throws: Violation.self) { try checker.elected(raft(2, terms: [])) }
    }

    @Test func twoVotesOfOneMember() throws {
        var checker = ConsensusChecker()
        let vote = Message(from: 1, to: 2, term: 3, body: .voteResponse(granted: true))
        try checker.voted(vote)
        try checker.voted(vote)
        var other = vote
        other.to = 3
        #expect(throws: Violation.self) { try checker.voted(other) }
    }

    @Test func twoEntriesOfOneName() throws {
        var checker = ConsensusChecker()
        try checker.wrote([entry(1, term: 1, "a"), entry(2, term: 1, "b")], after: 0)
        try checker.wrote([entry(2, term: 1, "b")], after: 1)
        #expect(throws: Violation.self) {
            try checker.wrote([entry(2, term: 1, "c")], after: 1)
        }
    }

    @Test func oneEntryBehindTwoPasts() throws {
        var checker = ConsensusChecker()
        try checker.wrote([entry(2, term: 3, "a")], after: 1)
        #expect(throws: Violation.self) {
            try checker.wrote([entry(2, term: 3, "a")], after: 2)
        }
    }

    @Test func twoEntriesAppliedAtOnePlace() throws {
        var checker = ConsensusChecker()
        try apply(entry(1, term: 1, "a"), &checker, by: 1)
        try apply(entry(1, term: 1, "a"), &checker, by: 2)
        #expect(throws: Violation.self) { try apply(entry(1, term: 2, "a"), &checker, by: 3) }
        #expect(throws: Violation.self) { try apply(entry(1, term: 1, "b"), &checker, by: 3) }
        #expect(throws: Violation.self) { try apply(entry(3, term: 1, "c"), &checker, by: 3) }
    }

    @Test func otherAnswer() throws {
        var checker = ConsensusChecker()
        let first = entry(1, term: 1, "a")
        #expect(throws: Violation.self) {
            try checker.applied(
                first, command: .nothing, result: .revision(.success(5)),
                by: raft(1, terms: [1]))
        }
    }

    @Test func otherState() throws {
        var checker = ConsensusChecker()
        try apply(entry(1, term: 1, "a"), &checker, by: 1)
        #expect(throws: Violation.self) { try checker.agrees(42, at: 1, of: 1) }
    }

    @Test func leaderWithoutACommittedEntry() throws {
        var checker = ConsensusChecker()
        try apply(entry(1, term: 1, "a"), &checker, by: 1)
        try checker.elected(raft(2, terms: [1, 3]))
        #expect(throws: Violation.self) { try checker.elected(raft(3, terms: [2, 4])) }
    }

    @Test func lateLeaderOfAnOldTerm() throws {
        // Its election was decided before the entry was committed in a newer term.
        var checker = ConsensusChecker()
        try apply(entry(1, term: 5, "a"), &checker, by: 1)
        try checker.elected(raft(2, terms: [3]))
    }

    private func entry(_ index: UInt64, term: UInt64, _ text: String) -> Entry {
        Entry(term: term, index: index, payload: Array(text.utf8))
    }

    private func apply(
        _ entry: Entry, _ checker: inout ConsensusChecker, by replica: UInt64
    ) throws {
        try checker.applied(
            entry, command: .nothing, result: .none, by: raft(replica, terms: [entry.term]))
    }

    /// A replica whose log has entries of these terms, and that is in the last of them.
    private func raft(_ id: UInt64, terms: [UInt64]) -> Raft {
        let entries = terms.enumerated().map { entry(UInt64($0 + 1), term: $1, "x") }
        return Raft(
            Raft.Configuration(id: id, seed: 1),
            Raft.InitialState(
                hardState: HardState(term: terms.last ?? 1),
                membership: Membership(voters: [1, 2, 3]), entries: entries))
    }
}
