import Basics
import Raft
import Testing

/// Sentences of the Raft paper (Ongaro and Ousterhout, extended version), section by section, each
/// as a test. Those that stories and other suites tell are not repeated.
@Suite struct PaperTests {
    // MARK: 5.1 Terms

    /// "If one server's current term is smaller than the other's, then it updates its current
    /// term"; a candidate or leader with a stale term "immediately reverts to follower state".
    @Test(arguments: [Role.follower, .candidate, .leader])
    func newerTermMakesFollowers(role: Role) {
        var raft = replica(role)
        raft.step(
            Message(
                from: 2, to: 1, term: 9,
                body: .append(prevIndex: 0, prevTerm: 0, entries: [], commit: 0)))
        #expect(raft.role == .follower && raft.term == 9 && raft.leader == 2)
    }

    /// "If a server receives a request with a stale term number, it rejects the request."
    @Test(arguments: [Role.follower, .candidate, .leader])
    func staleTermIsRejected(role: Role) {
        var raft = replica(role, term: 5)
        let last = raft.lastIndex
        let entry = Entry(term: 1, index: 1, payload: [1])
        raft.step(
            Message(
                from: 2, to: 1, term: 1,
                body: .append(prevIndex: 0, prevTerm: 0, entries: [entry], commit: 1)))
        #expect(raft.role == role && raft.lastIndex == last && raft.commitIndex == 0)
    }

    // MARK: 5.2 Leader election

    @Test func startsAsFollower() {
        #expect(replica(.follower, term: 0).role == .follower)
    }

    /// "If a follower receives no communication over a period of time called the election timeout,
    /// then it begins an election", drawn "from a fixed interval".
    @Test func electionTimeoutsAreDrawnFromTheInterval() {
        var seen: Set<Int> = []
        for seed in UInt64(1)...400 {
            var raft = Raft(
                Raft.Configuration(id: 1, electionTicksMin: 10, seed: seed),
                Raft.InitialState(membership: three))
            var ticks = 0
            while raft.role == .follower {
                raft.tick()
                ticks += 1
            }
            #expect((10...20).contains(ticks))
            seen.insert(ticks)
        }
        #expect(seen == Set(10...20))
    }

    /// Random timeouts make split votes rare: two replicas draw the same one in about a tenth of
    /// the elections, never in a third.
    @Test func timeoutsRarelyCollide() {
        var collisions = 0
        for seed in UInt64(1)...1_000 {
            let ticks = (UInt64(1)...2).map { id in
                var raft = Raft(
                    Raft.Configuration(id: id, electionTicksMin: 10, seed: seed),
                    Raft.InitialState(membership: three))
                var ticks = 0
                while raft.role == .follower {
                    raft.tick()
                    ticks += 1
                }
                return ticks
            }
            if ticks[0] == ticks[1] { collisions += 1 }
        }
        #expect(collisions < 300)
    }

    /// "Leaders send periodic heartbeats … to all followers."
    @Test func leaderSendsHeartbeats() {
        var raft = replica(.leader)
        raft.tick()
        let sent = drain(&raft).flatMap(\.messages).filter { message in
            if case .heartbeat = message.body { true } else { false }
        }
        #expect(sent.map(\.to) == [2, 3])
    }

    /// "If the leader's term is at least as large as the candidate's … the candidate
    /// recognizes the leader as legitimate."
    @Test(arguments: [UInt64(1), 2]) func candidateFollowsALeader(term: UInt64) {
        var raft = replica(.candidate)
        raft.step(Message(from: 3, to: 1, term: term, body: .heartbeat(commit: 0, read: 0)))
        #expect(raft.role == .follower && raft.leader == 3 && raft.term == term)
    }

    // MARK: 5.3 Log replication

    /// "A log entry is committed once the leader that created the entry has replicated it on a
    /// majority of the servers", and "this also commits all preceding entries".
    @Test(arguments: [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2)])
    func commitsWithAMajority(voters: Int, acknowledgementsNeeded: Int) {
        for count in 0..<voters {
            var raft = electedLeader(voters: voters)
            _ = raft.propose([[1]])
            _ = raft.propose([[2]])
            drain(&raft)
            for from in (2...UInt64(voters + 1)).prefix(count) {
                raft.step(Message(from: from, to: 1, term: 1, body: .appended(index: 3)))
            }
            #expect((raft.commitIndex == 3) == (count >= acknowledgementsNeeded))
        }
    }

    /// The leader "includes that index in future AppendEntries RPCs … so that the other servers
    /// eventually find out".
    @Test func commitIndexIsTold() {
        var raft = electedLeader(voters: 3)
        raft.step(Message(from: 2, to: 1, term: 1, body: .appended(index: 1)))
        let commits = drain(&raft).flatMap(\.messages).compactMap { message in
            if case .append(_, _, _, let commit) = message.body { commit } else { nil }
        }
        #expect(!commits.isEmpty && commits.allSatisfy { $0 == 1 })
    }

    /// "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new
    /// entry)": what is behind the last new entry may be of another leader.
    @Test func commitStopsAtTheLastNewEntry() {
        var raft = follower(terms: [1, 1, 1])
        raft.step(
            Message(
                from: 2, to: 1, term: 1,
                body: .append(prevIndex: 1, prevTerm: 1, entries: [], commit: 3)))
        #expect(raft.commitIndex == 1)
    }

    /// "If the follower does not find an entry in its log with the same index and term, then it
    /// refuses the new entries."
    @Test(arguments: [
        (prevIndex: UInt64(0), prevTerm: UInt64(0), isAccepted: true),
        (prevIndex: 1, prevTerm: 1, isAccepted: true),
        (prevIndex: 2, prevTerm: 2, isAccepted: true),
        (prevIndex: 1, prevTerm: 2, isAccepted: false),
        (prevIndex: 3, prevTerm: 3, isAccepted: false),
    ])
    func consistencyCheck(prevIndex: UInt64, prevTerm: UInt64, isAccepted: Bool) {
        var raft = follower(terms: [1, 2])
        raft.step(
            Message(
                from: 2, to: 1, term: 9,
                body: .append(prevIndex: prevIndex, prevTerm: prevTerm, entries: [], commit: 0)))
        let bodies = drain(&raft).flatMap { $0.messages + $0.messagesAfterPersist }.map(\.body)
        if isAccepted {
            #expect(bodies == [.appended(index: prevIndex)])
        } else {
            #expect(bodies.count == 1 && bodies != [.appended(index: prevIndex)])
        }
    }

    typealias Conflict = (prev: UInt64, terms: [UInt64], result: [UInt64])
    static let conflicts: [Conflict] = [
        (prev: 2, terms: [3], result: [1, 2, 3]), (prev: 1, terms: [3, 4], result: [1, 3, 4]),
        (prev: 0, terms: [1], result: [1, 2]), (prev: 0, terms: [3], result: [3]),
    ]

    /// "If an existing entry conflicts with a new one, delete the existing entry and all that
    /// follow it. Append any new entries not already in the log."
    @Test(arguments: conflicts)
    func conflictsAreReplaced(prev: UInt64, terms: [UInt64], result: [UInt64]) {
        let own: [UInt64] = [0, 1, 2]
        var raft = follower(terms: [1, 2])
        let entries = terms.enumerated().map {
            Entry(term: $1, index: prev + UInt64($0) + 1, payload: [9])
        }
        raft.step(
            Message(
                from: 2, to: 1, term: 9,
                body: .append(
                    prevIndex: prev, prevTerm: own[Int(prev)], entries: entries, commit: 0)))
        #expect((1...raft.lastIndex).map { raft.term(at: $0) } == result)
    }

    // MARK: 5.4 Safety

    /// "The voter denies its vote if its own log is more up-to-date than that of the candidate",
    /// and a candidate says what it has.
    @Test func candidateTellsItsLog() {
        var raft = follower(terms: [1, 2, 2])
        raft.campaign()
        let bodies = drain(&raft).flatMap(\.messages).map(\.body)
        #expect(bodies == Array(repeating: .preVote(lastIndex: 3, lastTerm: 2), count: 2))
    }

    /// 5.4.2: an entry of an earlier term is committed only behind one of the own term.
    @Test func newLeaderAppendsAnEntryOfItsTerm() {
        let raft = electedLeader(voters: 3)
        #expect(raft.lastTerm == raft.term && raft.lastIndex == 1 && !raft.hasCommittedInTerm)
    }

    // MARK: 6 Membership, 8 Reads

    /// "A server … disregards RequestVote RPCs when it believes a current leader exists."
    @Test func currentLeaderIsDefended() {
        var raft = follower(terms: [1])
        raft.step(Message(from: 2, to: 1, term: 1, body: .heartbeat(commit: 0, read: 0)))
        drain(&raft)
        let request = Message.Body.vote(lastIndex: 9, lastTerm: 9, isTransfer: false)
        raft.step(Message(from: 3, to: 1, term: 2, body: request))
        #expect(raft.term == 1 && drain(&raft).isEmpty)
        for _ in 0..<6 where raft.role == .follower { raft.tick() }
        raft.step(Message(from: 3, to: 1, term: 2, body: request))
        #expect(raft.term == 2 && raft.vote == 3)
    }

    /// 8: a leader answers reads only after it has committed an entry of its term.
    @Test func readsWaitForAnEntryOfTheTerm() {
        var raft = electedLeader(voters: 3)
        raft.readIndex(7)
        #expect(drain(&raft).allSatisfy { $0.reads.isEmpty && $0.messages.isEmpty })
        raft.step(Message(from: 2, to: 1, term: 1, body: .appended(index: 1)))
        drain(&raft)
        raft.step(Message(from: 2, to: 1, term: 1, body: .heartbeatResponse(read: 1)))
        #expect(drain(&raft).flatMap(\.reads).map(\.index) == [1])
    }

    // MARK: Fixture

    private var three: Membership { Membership(voters: [1, 2, 3]) }

    private func follower(terms: [UInt64]) -> Raft {
        let entries = terms.enumerated().map {
            Entry(term: $1, index: UInt64($0 + 1), payload: [1])
        }
        return Raft(
            Raft.Configuration(id: 1, seed: 1),
            Raft.InitialState(
                hardState: HardState(term: terms.last ?? 0), membership: three, entries: entries))
    }

    private func replica(_ role: Role, term: UInt64 = 1) -> Raft {
        if role == .follower {
            return Raft(
                Raft.Configuration(id: 1, seed: 1),
                Raft.InitialState(hardState: HardState(term: term), membership: three))
        }
        var raft = Raft(
            Raft.Configuration(id: 1, seed: 1),
            Raft.InitialState(hardState: HardState(term: term - 1), membership: three))
        raft.campaign()
        raft.step(Message(from: 2, to: 1, term: term, body: .preVoteResponse(granted: true)))
        drain(&raft)
        if role == .leader {
            raft.step(Message(from: 2, to: 1, term: term, body: .voteResponse(granted: true)))
            drain(&raft)
        }
        precondition(raft.role == role && raft.term == term)
        return raft
    }
}
