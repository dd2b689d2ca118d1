import Basics
import Raft
import Testing

/// Rules that are easier to state as a table than as a story.
@Suite struct RaftTests {
    /// A voter's log against a candidate's: only an up-to-date candidate gets a vote.
    @Test(arguments: [
        (index: UInt64(3), term: UInt64(2), isGranted: true),
        (index: 4, term: 2, isGranted: true),
        (index: 2, term: 2, isGranted: false),
        (index: 1, term: 3, isGranted: true),
        (index: 9, term: 1, isGranted: false),
    ])
    func voteNeedsAnUpToDateLog(index: UInt64, term: UInt64, isGranted: Bool) {
        var raft = follower(terms: [1, 2, 2])
        raft.step(
            Message(
                from: 2, to: 1, term: 5,
                body: .vote(lastIndex: index, lastTerm: term, isTransfer: false)))
        let answers = drain(&raft).flatMap { $0.messages + $0.messagesAfterPersist }
        #expect(answers.map(\.body) == [.voteResponse(granted: isGranted)])
        #expect(raft.vote == (isGranted ? 2 : 0))
    }

    @Test func oneVotePerTerm() {
        var raft = follower(terms: [])
        for candidate in [UInt64(2), 3, 2] {
            raft.step(
                Message(
                    from: candidate, to: 1, term: 1,
                    body: .vote(lastIndex: 0, lastTerm: 0, isTransfer: false)))
        }
        let answers = drain(&raft).flatMap { $0.messages + $0.messagesAfterPersist }
        let granted = answers.filter { $0.body == .voteResponse(granted: true) }.map(\.to)
        #expect(granted == [2, 2])
        #expect(raft.vote == 2)
    }

    @Test func voteWaitsForTheDisk() throws {
        var raft = follower(terms: [])
        raft.step(
            Message(
                from: 2, to: 1, term: 1,
                body: .vote(lastIndex: 0, lastTerm: 0, isTransfer: false)))
        let taken = raft.takeReady()
        let ready = try #require(taken)
        #expect(ready.messages.isEmpty)
        #expect(ready.messagesAfterPersist.map(\.to) == [2])
        #expect(ready.hardState == HardState(term: 1, vote: 2, commit: 0))
        #expect(ready.mark != nil)
    }

    /// Where a follower's log could agree with the leader's, by the terms of its entries.
    @Test(arguments: [
        (log: [UInt64](), prev: (UInt64(3), UInt64(2)), hint: (UInt64(0), UInt64(0))),
        (log: [1, 1], prev: (5, 2), hint: (2, 1)),
        (log: [1, 3, 3, 3], prev: (4, 2), hint: (1, 1)),
        (log: [1, 2, 2, 4], prev: (4, 3), hint: (3, 2)),
    ])
    func rejectionHint(
        log: [UInt64], prev: (UInt64, UInt64), hint: (UInt64, UInt64)
    ) {
        var raft = follower(terms: log)
        raft.step(
            Message(
                from: 2, to: 1, term: 9,
                body: .append(prevIndex: prev.0, prevTerm: prev.1, entries: [], commit: 0)))
        let answers = drain(&raft).flatMap(\.messages)
        #expect(
            answers.map(\.body) == [
                .appendRejected(index: prev.0, hintIndex: hint.0, hintTerm: hint.1)
            ])
    }

    @Test func lateAppendRemovesNothing() {
        var raft = follower(terms: [1, 1, 1])
        raft.step(
            Message(
                from: 2, to: 1, term: 1,
                body: .append(
                    prevIndex: 0, prevTerm: 0, entries: [Entry(term: 1, index: 1, payload: [1])],
                    commit: 0)))
        #expect(raft.lastIndex == 3)
    }

    @Test func committedWaitsForTheLocalDisk() throws {
        var raft = follower(terms: [])
        raft.step(
            Message(
                from: 2, to: 1, term: 1,
                body: .append(
                    prevIndex: 0, prevTerm: 0, entries: [Entry(term: 1, index: 1, payload: [1])],
                    commit: 1)))
        let taken = raft.takeReady()
        let first = try #require(taken)
        #expect(first.committed.isEmpty)
        #expect(raft.commitIndex == 1)
        raft.persisted(try #require(first.mark))
        let takenNext = raft.takeReady()
        let second = try #require(takenNext)
        #expect(second.committed.map(\.index) == [1])
    }

    /// Figure 8: a quorum has the entry of an earlier term, which may be replaced all the same
    /// until one of the leader's own term is committed.
    @Test func earlierTermsAreNotCommittedByCounting() {
        var raft = follower(terms: [1, 2])
        raft.campaign()
        for answer in [Message.Body.preVoteResponse(granted: true), .voteResponse(granted: true)] {
            raft.step(Message(from: 2, to: 1, term: 3, body: answer))
            drain(&raft)
        }
        #expect(raft.role == .leader)
        raft.step(Message(from: 2, to: 1, term: 3, body: .appended(index: 2)))
        raft.step(Message(from: 3, to: 1, term: 3, body: .appended(index: 2)))
        #expect(raft.commitIndex == 0)
        raft.step(Message(from: 2, to: 1, term: 3, body: .appended(index: 3)))
        #expect(raft.commitIndex == 3)
    }

    @Test func commitAloneIsNotWritten() throws {
        var raft = follower(terms: [1])
        raft.step(Message(from: 2, to: 1, term: 1, body: .heartbeat(commit: 1, read: 0)))
        let taken = raft.takeReady()
        let ready = try #require(taken)
        #expect(ready.hardState == nil)
        #expect(ready.mark == nil)
        #expect(ready.committed.map(\.index) == [1])
    }

    @Test func oneReportCoversEarlierWrites() throws {
        var raft = electedLeader(voters: 1)
        var marks: [WriteMark] = []
        for byte in UInt8(0)..<3 {
            _ = raft.propose([[byte]])
            let taken = raft.takeReady()
            marks.append(try #require(taken?.mark))
        }
        raft.persisted(marks[2])
        #expect(raft.commitIndex == raft.lastIndex)
        raft.persisted(marks[0])
        #expect(raft.persistedIndex == raft.lastIndex)
    }

    @Test func committedComesInBoundedPieces() {
        var configuration = Raft.Configuration(id: 1, seed: 1)
        configuration.readyBytesMax = 100
        let entries = (1...9).map {
            Entry(term: 1, index: $0, payload: [UInt8](repeating: 0, count: 8))
        }
        var raft = Raft(
            configuration,
            Raft.InitialState(
                hardState: HardState(term: 1, vote: 0, commit: 9),
                membership: Membership(voters: [1, 2, 3]), entries: entries))
        let sizes = drain(&raft).map(\.committed.count)
        #expect(sizes == [2, 2, 2, 2, 1])
    }

    /// Entries behind a snapshot that brings nothing new are acknowledged, and must stay.
    @Test func snapshotInsideTheLogRemovesNothing() {
        var raft = follower(terms: [1, 1, 1])
        let meta = SnapshotMeta(index: 2, term: 1, membership: Membership(voters: [1, 2, 3]))
        raft.step(Message(from: 2, to: 1, term: 1, body: .installSnapshot(meta)))
        let readys = drain(&raft)
        #expect(readys.allSatisfy { $0.snapshotToInstall == nil })
        #expect(readys.flatMap(\.committed).map(\.index) == [1, 2])
        #expect(raft.lastIndex == 3)
    }

    /// A change counts while it is in the log, and no longer when it is cut off.
    @Test func membershipFollowsTheLog() {
        var raft = follower(terms: [1])
        let entry = Entry(
            term: 1, index: 2, kind: .membership,
            payload: MembershipChange.addVoter(4).encoded())
        raft.step(
            Message(
                from: 2, to: 1, term: 1,
                body: .append(prevIndex: 1, prevTerm: 1, entries: [entry], commit: 0)))
        #expect(raft.membership.voters == [1, 2, 3, 4])
        #expect(raft.appliedMembership.voters == [1, 2, 3])
        let other = Entry(term: 2, index: 2, payload: [])
        raft.step(
            Message(
                from: 3, to: 1, term: 2,
                body: .append(prevIndex: 1, prevTerm: 1, entries: [other], commit: 0)))
        #expect(raft.membership.voters == [1, 2, 3])
    }

    @Test func blankReplicaNeverVotes() {
        var raft = Raft(
            Raft.Configuration(id: 4, seed: 1),
            Raft.InitialState(membership: Membership(voters: [])))
        for _ in 0..<100 { raft.tick() }
        #expect(raft.takeReady() == nil)
        raft.step(
            Message(
                from: 2, to: 4, term: 1,
                body: .vote(lastIndex: 9, lastTerm: 9, isTransfer: false)))
        let answers = drain(&raft).flatMap { $0.messages + $0.messagesAfterPersist }
        #expect(answers.map(\.body) == [.voteResponse(granted: false)])
    }

    @Test func sameInputsSameOutputs() {
        func run() -> [String] {
            var cluster = TestCluster(voters: 5)
            for id in UInt64(1)...5 { cluster[id].raft.tick() }
            for _ in 0..<40 {
                for id in UInt64(1)...5 { cluster[id].raft.tick() }
                cluster.stabilize()
            }
            return cluster.takeTrace()
        }
        #expect(run() == run())
    }

    private func follower(terms: [UInt64]) -> Raft {
        let entries = terms.enumerated().map {
            Entry(term: $1, index: UInt64($0 + 1), payload: [1])
        }
        return Raft(
            Raft.Configuration(id: 1, seed: 1),
            Raft.InitialState(
                hardState: HardState(term: terms.last ?? 0),
                membership: Membership(voters: [1, 2, 3]), entries: entries))
    }
}
