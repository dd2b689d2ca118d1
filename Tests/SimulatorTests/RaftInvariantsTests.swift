import Basics
import Keyspace
import Raft
import ReplicaCore
import Simulator
import Testing

/// Raft's invariants, each broken once.
@Suite struct RaftInvariantsTests {
    private func entry(_ index: UInt64, term: UInt64, _ payload: String = "") -> Entry {
        Entry(term: term, index: index, payload: bytes(payload))
    }

    private func raft(
        _ id: UInt64, term: UInt64, terms: [UInt64], behind index: UInt64 = 0,
        commit: UInt64 = 0, vote: UInt64 = 0
    ) -> Raft {
        let entries = terms.enumerated().map { offset, term in
            entry(index + 1 + UInt64(offset), term: term)
        }
        return Raft(
            Raft.Configuration(id: id, seed: 1),
            Raft.InitialState(
                hardState: HardState(term: term, vote: vote, commit: commit),
                membership: Membership(voters: [1, 2, 3]), snapshotIndex: index,
                snapshotTerm: index == 0 ? 0 : 1, entries: entries, applied: index))
    }

    @Test func electionSafety() throws {
        var invariants = RaftInvariants()
        let log = CommittedLog()
        try invariants.elected(raft(1, term: 4, terms: []), log)
        try invariants.elected(raft(2, term: 5, terms: []), log)
        expectViolation("election safety") {
            try invariants.elected(raft(3, term: 5, terms: []), log)
        }
    }

    @Test func leaderCompleteness() throws {
        var invariants = RaftInvariants()
        var log = CommittedLog()
        _ = try log.applied(entry(1, term: 1), by: 1, maxTerm: 1)
        try invariants.elected(raft(1, term: 2, terms: [1]), log)
        expectViolation("leader completeness") {
            try invariants.elected(raft(2, term: 3, terms: []), log)
        }
    }

    /// Entries behind its snapshot a leader need not have, but those after it.
    @Test func leaderCompletenessBehindASnapshot() throws {
        var invariants = RaftInvariants()
        var log = CommittedLog()
        for index in [UInt64(1), 2, 3] {
            _ = try log.applied(entry(index, term: 1), by: 1, maxTerm: 1)
        }
        try invariants.elected(raft(1, term: 2, terms: [1], behind: 2), log)
        expectViolation("2 leads term 3 and lacks committed entry 1/3") {
            try invariants.elected(raft(2, term: 3, terms: [2], behind: 2), log)
        }
    }

    /// Who learns late that it was elected has not what a newer leader committed.
    @Test func leaderCompletenessOfADeposedLeader() throws {
        var invariants = RaftInvariants()
        var log = CommittedLog()
        _ = try log.applied(entry(1, term: 1), by: 1, maxTerm: 5)
        try invariants.elected(raft(2, term: 5, terms: []), log)
        expectViolation("3 leads term 6 and lacks committed entry 1/1") {
            try invariants.elected(raft(3, term: 6, terms: []), log)
        }
    }

    @Test func logMatching() throws {
        var invariants = RaftInvariants()
        try invariants.wrote([entry(1, term: 1, "a"), entry(2, term: 1, "b")], by: 1, after: 0)
        try invariants.wrote([entry(2, term: 1, "b")], by: 2, after: 1)
        expectViolation("log matching") {
            try invariants.wrote([entry(2, term: 1, "c")], by: 3, after: 1)
        }
        expectViolation("log matching") {
            try invariants.wrote([entry(2, term: 1, "b")], by: 3, after: 2)
        }
    }

    @Test func entriesBehindAGap() throws {
        var invariants = RaftInvariants()
        try invariants.wrote([entry(5, term: 2)], by: 3, after: 1)
        expectViolation("3 writes entry 7 behind a gap") {
            try invariants.wrote([entry(7, term: 2)], by: 3, after: nil)
        }
    }

    @Test func membersAreToldApart() throws {
        let one = ReplicaMember(id: 1, name: "a", peerHost: "h", peerPort: 1)
        let other = ReplicaMember(id: 2, name: "b", peerHost: "h", peerPort: 2)
        try MemberInvariants.check([one, other])
        let namesake = ReplicaMember(id: 2, name: "a", peerHost: "h", peerPort: 2)
        let neighbour = ReplicaMember(id: 2, name: "b", peerHost: "h", peerPort: 1)
        for twin in [namesake, neighbour] {
            expectViolation("two members have the same name or address") {
                try MemberInvariants.check([one, twin])
            }
        }
    }

    private typealias Step = MembershipChange.Step

    private func check(
        _ steps: [Step], from before: Membership, to after: Membership
    ) throws(Violation) {
        try MemberInvariants.check(MembershipChange(steps), from: before, to: after)
    }

    @Test func oneVoterMoves() throws {
        let three = Membership(voters: [1, 2, 3], learners: [4, 5], joining: [5])
        try check(
            [Step(.remove, 3)], from: three,
            to: Membership(voters: [1, 2], learners: [4, 5], joining: [5]))
        try check(
            [Step(.addVoter, 5)], from: three,
            to: Membership(voters: [1, 2, 3, 5], learners: [4]))
        try check(
            [Step(.addLearner, 3), Step(.addLearner, 5), Step(.join, 2), Step(.join, 6)],
            from: three,
            to: Membership(voters: [1, 2], learners: [3, 4, 5, 6], joining: [6]))
        // Whoever is removed votes on, or is still told of everything.
        for after in [three, Membership(voters: [1, 2], learners: [3, 4, 5], joining: [5])] {
            expectViolation("members: ") {
                try check([Step(.remove, 3)], from: three, to: after)
            }
        }
        expectViolation("members: ") {
            try check(
                [Step(.remove, 4)], from: three,
                to: Membership(voters: [1, 2], learners: [5], joining: [5]))
        }
    }

    /// {1, 2} and {3, 4, 5} could decide apart.
    @Test func severalVotersMove() throws {
        let three = Membership(voters: [1, 2, 3])
        let two = [Step(.addVoter, 4), Step(.addVoter, 5)]
        let joint = Membership(voters: [1, 2, 3, 4, 5], outgoing: [1, 2, 3])
        try check(two, from: three, to: joint)
        try check([], from: joint, to: Membership(voters: [1, 2, 3, 4, 5]))
        let wrong = [
            Membership(voters: [1, 2, 3, 4, 5]), three,
            Membership(voters: [1, 2, 3, 4, 5], outgoing: [1, 2]),
        ]
        for after in wrong {
            expectViolation("members: ") { try check(two, from: three, to: after) }
        }
        for after in [joint, three] {
            expectViolation("members: ") { try check([], from: joint, to: after) }
        }
    }

    /// A change that came out wrong is found where the log is applied.
    @Test func membersOfTheLog() throws {
        var log = CommittedLog(membership: Membership(voters: [1, 2, 3]))
        let changes = [
            MembershipChange([Step(.addVoter, 4), Step(.addVoter, 5)]), .leaveJoint, .remove(1),
        ]
        for (offset, change) in changes.enumerated() {
            let entry = Entry(
                term: 1, index: UInt64(offset) + 1, kind: .membership, payload: change.encoded())
            _ = try log.applied(entry, by: 1, maxTerm: 1)
        }
        #expect(log.membership == Membership(voters: [2, 3, 4, 5]))
    }

    @Test func windows() throws {
        try RaftInvariants.window(to: 2, appends: 4, max: 4)
        expectViolation("window: 5 appends are on their way to 2, 4 may be") {
            try RaftInvariants.window(to: 2, appends: 5, max: 4)
        }
    }

    @Test func twoVotes() throws {
        var invariants = RaftInvariants()
        let vote = Message(from: 1, to: 2, term: 3, body: .voteResponse(granted: true))
        try invariants.sent(vote, durable: (3, 2, 0))
        try invariants.sent(vote, durable: (3, 2, 0))
        var other = vote
        other.to = 3
        expectViolation("1 voted for 2 and 3") {
            try invariants.sent(other, durable: (3, 3, 0))
        }
    }

    /// Whoever has moved on to a later term has no more to keep of this one.
    @Test func promisesOfAnEarlierTerm() throws {
        var invariants = RaftInvariants()
        let bodies: [Message.Body] = [
            .voteResponse(granted: true), .vote(lastIndex: 0, lastTerm: 0, isTransfer: false),
            .appended(index: 5),
        ]
        for (position, body) in bodies.enumerated() {
            let message = Message(from: UInt64(position) + 4, to: 2, term: 3, body: body)
            try invariants.sent(message, durable: (4, 0, 4))
            expectViolation("durable") { try invariants.sent(message, durable: (2, 0, 4)) }
        }
    }

    @Test func promisesThatAreNotDurable() {
        var invariants = RaftInvariants()
        let vote = Message(from: 1, to: 2, term: 3, body: .voteResponse(granted: true))
        expectViolation("before the vote is durable") {
            try invariants.sent(vote, durable: (2, 2, 0))
        }
        let candidacy = Message(
            from: 4, to: 2, term: 3,
            body: .vote(lastIndex: 0, lastTerm: 0, isTransfer: false))
        expectViolation("before its own is durable") {
            try invariants.sent(candidacy, durable: (3, 0, 0))
        }
        let acknowledgement = Message(from: 1, to: 2, term: 3, body: .appended(index: 5))
        expectViolation("acknowledges entry 5") {
            try invariants.sent(acknowledgement, durable: (3, 0, 4))
        }
    }

    @Test func commitment() throws {
        let invariants = RaftInvariants()
        let leader = raft(1, term: 2, terms: [1, 2], commit: 2)
        try invariants.committed(leader) { $0 != 3 }
        expectViolation("committed on quorum") { try invariants.committed(leader) { $0 == 1 } }
        let old = raft(1, term: 2, terms: [1, 2], commit: 1)
        expectViolation("commits entry 1 of term 1") { try invariants.committed(old) { _ in true } }
    }

    @Test func stateMachineSafety() throws {
        var log = CommittedLog()
        #expect(try log.applied(entry(1, term: 1), by: 1, maxTerm: 1))
        #expect(try !log.applied(entry(1, term: 1), by: 2, maxTerm: 1))
        expectViolation("state machine safety") {
            _ = try log.applied(entry(1, term: 2), by: 3, maxTerm: 2)
        }
        expectViolation("applied entry 3") {
            _ = try log.applied(entry(3, term: 1), by: 3, maxTerm: 2)
        }
    }

    @Test func entriesThatDoNotDecode() throws {
        var log = CommittedLog()
        let change = MembershipChange([.init(.addVoter, 4)])
        _ = try log.applied(
            Entry(term: 1, index: 1, kind: .membership, payload: change.encoded()), by: 1,
            maxTerm: 1)
        #expect(log.membership.isVoter(4))
        for kind in [Entry.Kind.normal, .membership] {
            expectViolation("entry 2 does not decode") {
                _ = try log.applied(
                    Entry(term: 1, index: 2, kind: kind, payload: [0xff]), by: 1, maxTerm: 1)
            }
        }
    }

    @Test func equalStatesAtEqualIndexes() throws {
        var log = CommittedLog()
        let write = entry(1, term: 1, String(decoding: [], as: UTF8.self))
        let before = log.model.digest
        try log.agrees(before, at: 0, of: 1)
        _ = try log.applied(
            Entry(
                term: write.term, index: 1, payload: transaction(put("a", "1")).encode()), by: 1,
            maxTerm: 1)
        try log.agrees(log.model.digest, at: 1, of: 1)
        expectViolation("is not right") { try log.agrees(before, at: 1, of: 2) }
        expectViolation("which nobody applied") { try log.agrees(before, at: 2, of: 2) }
        // A state that was wrong counts as right again only where it is.
        #expect(log.holds(log.model.digest, at: 1))
        #expect(!log.holds(before, at: 1))
        #expect(!log.holds(log.model.digest, at: 2))
    }

    @Test func monotony() throws {
        var monotony = Monotony()
        var later = raft(1, term: 3, terms: [1, 2], commit: 1)
        try monotony.check(&later, stateIndex: 0, revision: 5, compactRevision: 2)
        for (term, commit, revision, compacted) in [
            (2, 1, 5, 2), (3, 0, 5, 2), (3, 1, 4, 2), (3, 1, 5, 1),
        ] as [(UInt64, UInt64, Int64, Int64)] {
            var copy = monotony
            var earlier = raft(1, term: term, terms: [1, 2], commit: commit)
            expectViolation("went back") {
                try copy.check(
                    &earlier, stateIndex: 0,
                    revision: revision, compactRevision: compacted)
            }
        }
        expectViolation("out of order") {
            try monotony.check(&later, stateIndex: 2, revision: 5, compactRevision: 2)
        }
    }

    @Test func theAppliedIndexDoesNotFall() throws {
        var monotony = Monotony()
        var replica = raft(1, term: 3, terms: [1, 2], commit: 2)
        try monotony.check(&replica, stateIndex: 2, revision: 5, compactRevision: 2)
        expectViolation("applied 2 to 1") {
            try monotony.check(&replica, stateIndex: 1, revision: 5, compactRevision: 2)
        }
    }

    /// What takes the place of a wrong state may be behind it, but what was promised stands.
    @Test func whatAWrongStateMayTakeBack() throws {
        var monotony = Monotony()
        var replica = raft(1, term: 3, terms: [1, 2], commit: 2)
        try monotony.check(&replica, stateIndex: 2, revision: 5, compactRevision: 2)
        monotony.forgetRevisions()
        var copy = monotony
        try copy.check(&replica, stateIndex: 1, revision: 3, compactRevision: 0)
        for (term, commit) in [(2, 2), (3, 1)] as [(UInt64, UInt64)] {
            var earlier = raft(1, term: term, terms: [1, 2], commit: commit)
            expectViolation("1 went back") {
                try monotony.check(&earlier, stateIndex: 1, revision: 5, compactRevision: 2)
            }
        }
    }

    @Test func aVoteStandsForItsTerm() throws {
        var monotony = Monotony()
        var votes = [UInt64(0), 2].map { raft(1, term: 3, terms: [1], vote: $0) }
        for position in votes.indices {
            try monotony.check(&votes[position], stateIndex: 0, revision: 1, compactRevision: 0)
        }
        for vote in [UInt64(0), 3] {
            var copy = monotony
            var changed = raft(1, term: 3, terms: [1], vote: vote)
            expectViolation("1 changed its vote in term 3") {
                try copy.check(&changed, stateIndex: 0, revision: 1, compactRevision: 0)
            }
        }
        var later = raft(1, term: 4, terms: [1], vote: 3)
        try monotony.check(&later, stateIndex: 0, revision: 1, compactRevision: 0)
    }

    @Test func noElectionInACalmStretch() throws {
        try RaftInvariants.rested(before: 4, after: 4)
        let bad: [(before: UInt64?, after: UInt64?)] = [(4, 5), (4, nil), (nil, 5), (nil, nil)]
        for (before, after) in bad {
            expectViolation("an election in a calm stretch") {
                try RaftInvariants.rested(before: before, after: after)
            }
        }
    }

    @Test func anEmptyReplicaBecomesNoVoter() throws {
        let membership = Membership(voters: [1, 2, 3])
        try MemberInvariants.checkJoining(4, as: 9, in: membership)
        expectViolation("4, which is empty, takes up the voter 2") {
            try MemberInvariants.checkJoining(4, as: 2, in: membership)
        }
    }

    @Test func acknowledgedOnceAndInTheLogOnce() throws {
        var log = CommittedLog()
        let payload = transaction(put("a", "1")).encode()
        func index(isAcknowledged: Bool) throws -> UInt64? {
            try log.index(of: payload, isAcknowledged: isAcknowledged, name: { "7: put a" })
        }
        #expect(try index(isAcknowledged: false) == nil)
        expectViolation("operation 7: put a was acknowledged and is not in the log") {
            _ = try index(isAcknowledged: true)
        }
        _ = try log.applied(Entry(term: 1, index: 1, payload: payload), by: 1, maxTerm: 1)
        #expect(try index(isAcknowledged: true) == 1)
        _ = try log.applied(Entry(term: 1, index: 2, payload: payload), by: 1, maxTerm: 1)
        for isAcknowledged in [false, true] {
            expectViolation("operation 7: put a is in the log twice: [1, 2]") {
                _ = try index(isAcknowledged: isAcknowledged)
            }
        }
    }

    @Test func aRebuildHasWhereToBegin() throws {
        try LogReach.check(1, released: 0, snapshots: [], applied: 4)
        try LogReach.check(1, released: 7, snapshots: [5, 7], applied: 7)
        try LogReach.check(1, released: 7, snapshots: [9], applied: nil)
        let bad: [(snapshots: [UInt64], applied: UInt64?)] = [
            ([], nil), ([6], nil), ([6, 10], 9),
        ]
        for (snapshots, applied) in bad {
            expectViolation("replica 1 could not rebuild its state") {
                try LogReach.check(1, released: 7, snapshots: snapshots, applied: applied)
            }
        }
    }

    @Test func runningHashesAtAnEntryAreOne() throws {
        var log = CommittedLog()
        #expect(log.hash(at: 3) == nil)
        try log.note(hash: 77, at: 3, of: 1)
        try log.note(hash: 77, at: 3, of: 2)
        try log.note(hash: 78, at: 4, of: 2)
        #expect(log.hash(at: 3) == 77)
        expectViolation("the running hash of replica 3 at entry 3 is not another's") {
            try log.note(hash: 76, at: 3, of: 3)
        }
    }
}
