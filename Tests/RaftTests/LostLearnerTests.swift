import Basics
import Raft
import Testing

/// A learner that lost its directory and comes back under its id, which it may: it never voted.
/// Nothing that it acknowledged before counts any more.
@Suite struct LostLearnerTests {
    /// Replica 1 leads 2 and 3, which are cut off since entry 2; the learner 4 has entry 3 as well,
    /// which is not committed.
    private func cluster() -> TestCluster {
        var cluster = TestCluster(voters: 3, learners: 1)
        cluster[1].raft.campaign()
        cluster.stabilize()
        _ = cluster[1].raft.propose([Array("a".utf8)])
        cluster.stabilize()
        for voter in [2, 3] as [UInt64] { cluster.isolate(voter) }
        _ = cluster[1].raft.propose([Array("b".utf8)])
        cluster.stabilize()
        return cluster
    }

    private func match(_ cluster: TestCluster) -> UInt64? {
        cluster[1].raft.progress.first { $0.id == 4 }?.match
    }

    @Test func whatItAcknowledgedIsForgotten() {
        var cluster = cluster()
        #expect(match(cluster) == 3)
        cluster[4].loseEverything()
        cluster[1].raft.tick()
        _ = cluster.handleReady(1)
        cluster.deliver(to: [4])
        _ = cluster[1].raft.propose([Array("c".utf8)])
        _ = cluster.handleReady(1)
        cluster.deliver(to: [4])
        _ = cluster.handleReady(4)
        cluster.deliver(to: [1])
        #expect(match(cluster) == 0)
        #expect(cluster[1].raft.progress.first { $0.id == 4 }?.hasCaughtUp == false)
    }

    /// The snapshot that it gets ends before what it once acknowledged.
    @Test func itGetsAllOfItAgain() {
        var cluster = cluster()
        cluster[4].loseEverything()
        cluster[1].raft.memberBegins(4)
        #expect(match(cluster) == 0)
        for _ in 0..<5 {
            cluster[1].raft.tick()
            cluster.stabilize()
        }
        #expect(cluster[4].raft.lastIndex == 3)
        #expect(match(cluster) == 3)
        cluster.heal()
        for _ in 0..<5 {
            cluster[1].raft.tick()
            cluster.stabilize()
        }
        #expect(cluster[4].applied == ["", "a", "b"])
    }
}
