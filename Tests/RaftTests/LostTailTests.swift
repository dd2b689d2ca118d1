import Basics
import Raft
import Testing

/// A replica whose log was damaged: it gets back what it acknowledged, and until then does nothing
/// that could cost the cluster a committed entry.
@Suite struct LostTailTests {
    /// Replica 1 leads; all have 1 to 4 (the leader's empty entry, a, b, c).
    private func cluster() -> TestCluster {
        var cluster = TestCluster(voters: 3)
        cluster[1].raft.campaign()
        cluster.stabilize()
        for text in ["a", "b", "c"] {
            _ = cluster[1].raft.propose([Array(text.utf8)])
            cluster.stabilize()
        }
        return cluster
    }

    @Test(arguments: [0, 1, 2, 3] as [UInt64]) func whatIsLostComesAgain(kept: UInt64) {
        var cluster = cluster()
        #expect(cluster[2].applied == ["", "a", "b", "c"])
        cluster[2].loseEntries(behind: kept, .unknown)
        // The leader believes that 2 has all of it; its heartbeat says so.
        cluster[1].raft.tick()
        cluster.stabilize()
        #expect(cluster[2].raft.lastIndex == 4)
        _ = cluster[1].raft.propose([Array("d".utf8)])
        cluster.stabilize()
        #expect(cluster[2].applied == ["", "a", "b", "c", "d"])
        #expect(cluster[1].raft.progress.allSatisfy { $0.match == 5 })
    }

    /// Nothing but an append shows it if what is lost was not committed yet.
    @Test func anAppendShowsItToo() {
        var cluster = cluster()
        cluster[2].loseEntries(behind: 2, .unknown)
        _ = cluster[1].raft.propose([Array("d".utf8)])
        cluster.stabilize()
        #expect(cluster[2].raft.lastIndex == 5)
    }

    /// Entry 4 is committed by 1 and 2; 2 loses it. Without 1, nobody may lead: 3 lacks it.
    @Test func aCommittedEntryIsNotVotedAway() {
        for lost in [.unknown, .upTo(term: 1, index: 4)] as [LostTail] {
            var cluster = TestCluster(voters: 3)
            cluster[1].raft.campaign()
            cluster.stabilize()
            cluster.isolate(3)
            _ = cluster[1].raft.propose([Array("a".utf8)])
            cluster.stabilize()
            #expect(cluster[1].raft.commitIndex == 2)
            let bound: LostTail = lost == .unknown ? .unknown : .upTo(term: 1, index: 2)
            cluster[2].loseEntries(behind: 1, bound)
            cluster.heal()
            cluster.isolate(1)
            for _ in 0..<100 {
                for id in [2, 3] as [UInt64] { cluster[id].raft.tick() }
                cluster.stabilize()
            }
            #expect(cluster[2].raft.role == .follower)
            #expect(cluster[3].raft.role != .leader)
            // With 1 again, and what it has, all goes on.
            cluster.heal()
            for _ in 0..<60 {
                for id in [1, 2, 3] as [UInt64] { cluster[id].raft.tick() }
                cluster.stabilize()
            }
            #expect(cluster[1].raft.role == .leader)
            #expect(cluster[3].applied.contains("a"))
            #expect(cluster[2].applied.contains("a"))
        }
    }

    /// How far the log reached is known, so a candidate that reaches as far gets the vote.
    @Test func aKnownBoundStillVotes() {
        var cluster = cluster()
        cluster[2].loseEntries(behind: 1, .upTo(term: 1, index: 4))
        cluster.isolate(1)
        for _ in 0..<100 where cluster[3].raft.role != .leader {
            for id in [2, 3] as [UInt64] { cluster[id].raft.tick() }
            cluster.stabilize()
        }
        #expect(cluster[3].raft.role == .leader)
        #expect(cluster[2].applied.contains("c"))
    }

    @Test func onceRecoveredItVotesAndStands() {
        var cluster = cluster()
        cluster[2].loseEntries(behind: 1, .unknown)
        cluster[1].raft.tick()
        cluster.stabilize()
        _ = cluster[1].raft.propose([Array("barrier".utf8)])
        cluster.stabilize()
        cluster[2].raft.lostTailRecovered()
        cluster.isolate(1)
        for _ in 0..<100 where cluster[3].raft.role != .leader {
            cluster[3].raft.tick()
            cluster[2].raft.tick()
            cluster.stabilize()
            if cluster[2].raft.role == .leader { break }
        }
        #expect([cluster[2], cluster[3]].contains { $0.raft.role == .leader })
    }
}
