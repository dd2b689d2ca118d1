import Basics
import Raft
import Testing

/// Quorum arithmetic against a second, dumb implementation, by way of a leader's commit index.
@Suite struct QuorumTests {
    /// Every assignment of acknowledged indexes to up to four followers.
    @Test(arguments: 1...5) func commitIsWhatMostVotersHave(voters: Int) {
        let levels: [UInt64] = [0, 1, 2, 3]
        var assignments: [[UInt64]] = [[]]
        for _ in 1..<voters {
            assignments = assignments.flatMap { prefix in levels.map { prefix + [$0] } }
        }
        for assignment in assignments {
            var leader = electedLeader(voters: voters)
            _ = leader.propose([[1], [2]])
            drain(&leader)
            for (offset, index) in assignment.enumerated() where index > 0 {
                let from = UInt64(offset + 2)
                leader.step(Message(from: from, to: 1, term: 1, body: .appended(index: index)))
            }
            #expect(leader.commitIndex == dumbCommit([3] + assignment), "\(assignment)")
        }
    }

    /// The highest index that more than half of the voters have, by trying each.
    private func dumbCommit(_ matches: [UInt64]) -> UInt64 {
        var best: UInt64 = 0
        for candidate in UInt64(1)...3 {
            let holders = matches.filter { $0 >= candidate }.count
            if holders * 2 > matches.count { best = candidate }
        }
        return best
    }

    /// Every combination of answers of up to four others.
    @Test(arguments: 1...5) func electionNeedsMoreThanHalf(voters: Int) {
        for pattern in 0..<(1 << (voters - 1)) {
            var raft = candidate(voters: voters)
            var granted = 1
            for offset in 0..<(voters - 1) {
                let isGranted = pattern >> offset & 1 == 1
                if isGranted { granted += 1 }
                raft.step(
                    Message(
                        from: UInt64(offset + 2), to: 1, term: 1,
                        body: .voteResponse(granted: isGranted)))
            }
            #expect((raft.role == .leader) == (granted * 2 > voters), "\(voters) \(pattern)")
        }
    }

    @Test func answersAreCountedOnce() {
        var raft = candidate(voters: 5)
        for _ in 0..<5 {
            raft.step(Message(from: 2, to: 1, term: 1, body: .voteResponse(granted: true)))
        }
        #expect(raft.role == .candidate)
    }

    @Test func learnersDoNotCount() {
        let membership = Membership(voters: [1, 2, 3], learners: [4, 5])
        var raft = Raft(
            Raft.Configuration(id: 1, seed: 1), Raft.InitialState(membership: membership))
        raft.campaign()
        for learner in [UInt64(4), 5] {
            raft.step(
                Message(from: learner, to: 1, term: 1, body: .preVoteResponse(granted: true)))
        }
        #expect(raft.role == .preCandidate)
    }
}

/// A candidate of term 1 whose own vote is durable.
func candidate(voters: Int) -> Raft {
    let membership = Membership(voters: (1...UInt64(voters)).map { $0 })
    var raft = Raft(Raft.Configuration(id: 1, seed: 1), Raft.InitialState(membership: membership))
    raft.campaign()
    for from in membership.voters where from != 1 {
        raft.step(Message(from: from, to: 1, term: 1, body: .preVoteResponse(granted: true)))
    }
    drain(&raft)
    return raft
}

func electedLeader(voters: Int) -> Raft {
    var raft = candidate(voters: voters)
    for from in UInt64(1)...UInt64(voters) where from != 1 {
        raft.step(Message(from: from, to: 1, term: 1, body: .voteResponse(granted: true)))
    }
    drain(&raft)
    precondition(raft.role == .leader)
    return raft
}

/// Everything the replica wants written becomes durable; its messages go nowhere.
@discardableResult
func drain(_ raft: inout Raft) -> [Ready] {
    var readys: [Ready] = []
    while let ready = raft.takeReady() {
        readys.append(ready)
        if let mark = ready.mark { raft.persisted(mark) }
        if let last = ready.committed.last { raft.applied(last.index) }
    }
    return readys
}
