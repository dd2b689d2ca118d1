import Basics
import Keyspace
import Raft
import Replica
import ReplicaCore
import Testing
import WriteAheadLog

@Suite(.serialized, .timeLimit(.minutes(2))) struct MembershipTests {
    @Test func memberJoinsAndVotes() async throws {
        let cluster = try TestCluster(3, of: 4)
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        let id = try await cluster.change(1, .add(cluster.members[3], staysLearner: false)).get()
        #expect(cluster.member("replica-4", at: 1)?.id == id)
        try cluster.start(3)
        try await eventually("replica-4 votes") {
            let status = cluster[3].status
            return status.memberID == id && !status.isLearner && status.members.count == 4
        }
        #expect(try await cluster.mustGet(3, "a") == "1")
        try await cluster.mustPut(3, "b", "2")
        // Of four voters three must agree: the newcomer counts.
        cluster.stop(0)
        try await cluster.mustPut(3, "c", "3")
        try await cluster.end()
    }

    @Test func learnerIsPromotedOnceItKeepsUp() async throws {
        let cluster = try TestCluster(3, of: 4)
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        let id = try await cluster.change(0, .add(cluster.members[3], staysLearner: true)).get()
        #expect(await cluster.change(2, .promote(id)) == .failure(.learnerNotReady))
        try cluster.start(3)
        #expect(try await cluster.mustGet(3, "a") == "1")
        _ = try await eventually("promotion") {
            try? await cluster.change(2, .promote(id)).get()
        }
        try await eventually("replica-4 votes") { !cluster[3].status.isLearner }
        #expect(await cluster.change(2, .promote(id)) == .failure(.notLearner))
        try await cluster.end()
    }

    /// A cluster of three with replica-4 as a learner that has everything.
    private func learning(_ cluster: TestCluster) async throws -> UInt64 {
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        let id = try await cluster.change(0, .add(cluster.members[3], staysLearner: true)).get()
        try cluster.start(3)
        #expect(try await cluster.mustGet(3, "a") == "1")
        return id
    }

    @Test func learnerThatLostItsDirectoryComesBackUnderItsID() async throws {
        let cluster = try TestCluster(3, of: 4)
        let id = try await learning(cluster)
        cluster.stop(3)
        cluster.remove(3)
        try await cluster.mustPut(0, "a", "2")
        try cluster.start(3)
        #expect(try await cluster.mustGet(3, "a") == "2")
        #expect(cluster[3].status.memberID == id && cluster[3].status.isLearner)
        // And becomes a voter as any other.
        _ = try await eventually("promotion") {
            try? await cluster.change(1, .promote(id)).get()
        }
        try await cluster.end()
    }

    @Test func learnerThatIsDownGetsAnotherID() async throws {
        let cluster = try TestCluster(3, of: 4)
        let id = try await learning(cluster)
        guard case .failure(let error) = await cluster.change(1, .replace(name: "replica-4")) else {
            throw NeverHappened(what: "a refusal")
        }
        #expect(error.message == "replica-4 is in good order")
        cluster.stop(3)
        cluster.remove(3)
        let other = try await eventually("replacement") {
            try? await cluster.change(1, .replace(name: "replica-4")).get()
        }
        #expect(other != id)
        try cluster.start(3)
        #expect(try await cluster.mustGet(3, "a") == "1")
        #expect(cluster[3].status.memberID == other && cluster[3].status.isLearner)
        try await cluster.end()
    }

    /// {1, 2, 3} to {3, 4, 5} in one call, through any replica, while writes go on.
    @Test func anySetToAnySet() async throws {
        let cluster = try TestCluster(3, of: 5)
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        for index in 3...4 { try cluster.start(index) }
        let written = Task {
            var count = 0
            while !Task.isCancelled {
                if case .success = await cluster.put(2, "n\(count)", "\(count)") { count += 1 }
            }
            return count
        }
        let target = [2, 3, 4].map { cluster.members[$0] }
        _ = try await cluster.change(1, .set(target)).get()
        try await eventually("two are removed") { cluster.failures.withLock { $0.count } == 2 }
        written.cancel()
        let count = await written.value
        for index in 2...4 {
            try await eventually("replica \(index + 1) knows") {
                cluster[index].status.members.map(\.name).sorted()
                    == ["replica-3", "replica-4", "replica-5"]
            }
            #expect(cluster[index].status.learners.isEmpty)
            for number in 0..<count {
                #expect(try await cluster.mustGet(index, "n\(number)") == "\(number)")
            }
        }
        #expect(
            cluster.failures.withLock { $0.allSatisfy { $0.exitCode == 71 } })
        try await cluster.end()
    }

    @Test func leaderIsRemoved() async throws {
        let cluster = try TestCluster()
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        let old = try await cluster.leader()
        let other = (old + 1) % 3
        let id = cluster[old].status.memberID
        let removed = try await eventually("removal") {
            try? await cluster.change(other, .remove(id)).get()
        }
        #expect(removed == id)
        try await cluster.mustPut(other, "a", "2")
        #expect(cluster[other].status.members.count == 2)
        try await eventually("the end of the old leader") {
            cluster.failures.withLock { $0.map(\.exitCode) } == [71]
        }
        // Nor does it start again.
        cluster.stop(old)
        #expect(throws: ReplicaFailure.self) { try cluster.start(old) }
        try await cluster.end()
    }

    @Test func whatCannotBe() async throws {
        let cluster = try TestCluster(3, of: 4)
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        let leader = try await cluster.leader()
        let own = cluster[leader].status.memberID
        let refusals: [(MemberRequest, StoreError)] = [
            (.remove(7), .memberNotFound), (.promote(7), .memberNotFound),
            (.promote(own), .notLearner), (.update(7, host: "h", port: 1), .memberNotFound),
            (.add(cluster.members[1], staysLearner: true), .peerURLExists),
            (
                .update(own, host: "127.0.0.1", port: cluster.members[(leader + 1) % 3].peerPort),
                .peerURLExists
            ),
            (.replace(name: "nobody"), .memberNotFound),
        ]
        for (request, error) in refusals {
            #expect(await cluster.change(0, request) == .failure(error), "\(request)")
        }
        #expect(await cluster.transfer(leader, to: 7) == .failure(.badTransferee))
        // Of the two that would stay one is down.
        let down = (leader + 1) % 3
        let third = cluster[(leader + 2) % 3].status.memberID
        let gone = cluster[down].status.memberID
        #expect(cluster.isConnected(leader, to: gone))
        cluster.stop(down)
        // A change that begins before the leader has noticed waits for who is down.
        try await eventually("the leader notices") {
            !cluster.isConnected(leader, to: gone)
        }
        #expect(await cluster.change(leader, .remove(third)) == .failure(.notEnoughStarted))
        try await cluster.end()
    }

    @Test func transferKeepsEveryWrite() async throws {
        let cluster = try TestCluster()
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        let old = try await cluster.leader()
        let heir = (old + 1) % 3
        let writer = Task {
            var failures = 0
            for number in 0..<300 {
                if case .failure = await cluster.put((old + 2) % 3, "n", "\(number)") {
                    failures += 1
                }
            }
            return failures
        }
        for target in [heir, old, heir] {
            let id = cluster[target].status.memberID
            let from = try await cluster.leader()
            #expect(try await cluster.transfer(from, to: id).get() == id)
            try await eventually("the heir leads") { cluster[target].status.role == .leader }
        }
        #expect(await writer.value == 0)
        #expect(try await cluster.mustGet(old, "n") == "299")
        try await cluster.end()
    }

    @Test func stoppingLeaderHandsOver() async throws {
        let cluster = try TestCluster()
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        let old = try await cluster.leader()
        let id = cluster[old].status.memberID
        cluster.stop(old)
        // Nobody waited for an election timeout: when the stop is done another leads already.
        let heir = try #require((0..<3).first { $0 != old && cluster[$0].status.role == .leader })
        #expect(cluster[heir].status.leaderID != id)
        try await cluster.mustPut(heir, "a", "2")
        try await cluster.end()
    }

    /// The leader's disk takes no writes for a while: another leads, and no lease ends because of
    /// it.
    @Test func stalledDiskHandsOverAndKeepsLeases() async throws {
        let cluster = try TestCluster()
        let stalled = Locked<String?>(nil)
        cluster.adjust = { configuration in
            let name = configuration.name
            configuration.makeLogFiles = { path in
                StallingFiles.wrapping(DirectoryLogFiles(path: path)) {
                    stalled.withLock { $0 == name }
                }
            }
        }
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        for id in Int64(1)...50 {
            _ = await cluster.propose(0, .leaseGrant(id: id, ttlSeconds: 5))
        }
        let old = try await cluster.leader()
        stalled.withLock { $0 = cluster.members[old].name }
        let others = (0..<3).filter { $0 != old }
        let lost = Task { await cluster.put(old, "b", "2") }
        try await eventually("another leads") {
            others.contains { cluster[$0].status.role == .leader }
        }
        try await cluster.mustPut(others[0], "c", "3")
        for id in Int64(1)...50 {
            let left = try await eventually("lease \(id)") {
                try? await cluster.keepAlive(others[0], id).get()
            }
            #expect(left == 5)
        }
        stalled.withLock { $0 = nil }
        _ = await lost.value
        #expect(try await cluster.mustGet(old, "c") == "3")
        try await cluster.end()
    }
}
