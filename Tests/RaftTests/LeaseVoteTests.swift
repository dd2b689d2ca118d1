import Raft
import Testing

/// A follower that answers a leader, who may have a lease by that: it votes for nobody for an
/// election timeout.
@Suite struct LeaseVoteTests {
    /// Member 1 in term 5, long after its start, which has just heard of its leader, member 2.
    private func follower(leaseNanoseconds: UInt64) -> Raft {
        var raft = Raft(
            Raft.Configuration(
                id: 1, electionTicksMin: 10, leaseNanoseconds: leaseNanoseconds, seed: 1),
            Raft.InitialState(
                hardState: HardState(term: 5), membership: Membership(voters: [1, 2, 3])))
        for _ in 0..<3 {
            for _ in 0..<6 { raft.tick() }
            raft.step(Message(from: 2, to: 1, term: 5, body: .heartbeat(commit: 0, read: 1)))
        }
        drain(&raft)
        return raft
    }

    private func vote(_ term: UInt64, isTransfer: Bool = false) -> Message {
        Message(
            from: 3, to: 1, term: term,
            body: .vote(lastIndex: 0, lastTerm: 0, isTransfer: isTransfer))
    }

    /// Member 3 stood for election in term 6 before member 1 heard of its leader again; it says so
    /// in an answer to a question from before that, and its request for a vote comes behind it.
    private func hearOfTerm6(_ raft: inout Raft) {
        raft.step(Message(from: 3, to: 1, term: 6, body: .preVoteResponse(granted: false)))
        #expect(raft.term == 6 && raft.leader == 0)
    }

    @Test func withoutLeasesANewerTermFreesTheVote() {
        var raft = follower(leaseNanoseconds: 0)
        raft.step(vote(6))
        #expect(raft.term == 5)
        hearOfTerm6(&raft)
        raft.step(vote(6))
        #expect(raft.vote == 3)
    }

    @Test func withLeasesItDoesNot() {
        var raft = follower(leaseNanoseconds: 100)
        hearOfTerm6(&raft)
        raft.step(vote(6))
        raft.step(vote(7))
        #expect(raft.term == 6 && raft.vote == 0)
        for _ in 0..<9 { raft.tick() }
        raft.step(vote(6))
        raft.step(vote(7))
        #expect(raft.term == 6 && raft.vote == 0)
        raft.tick()
        raft.step(vote(7))
        #expect(raft.term == 7 && raft.vote == 3)
    }

    /// Whoever asked for that has no lease any more.
    @Test func aTransferIsNotHeldUp() {
        var raft = follower(leaseNanoseconds: 100)
        raft.step(vote(6, isTransfer: true))
        #expect(raft.term == 6 && raft.vote == 3)
    }
}
