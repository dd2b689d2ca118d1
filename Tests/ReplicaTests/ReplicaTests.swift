import Basics
import Keyspace
import Raft
import Replica
import ReplicaCore
import Testing

@Suite(.serialized, .timeLimit(.minutes(2))) struct ReplicaTests {
    @Test func threeReplicasTakeWritesAtEach() async throws {
        let cluster = try TestCluster()
        try cluster.startAll()
        for index in 0..<3 {
            try await cluster.mustPut(index, "key-\(index)", "value-\(index)")
        }
        for reader in 0..<3 {
            for index in 0..<3 {
                #expect(try await cluster.mustGet(reader, "key-\(index)") == "value-\(index)")
            }
        }
        let leaders = (0..<3).filter { cluster[$0].status.role == .leader }
        #expect(leaders.count == 1)
        #expect(cluster[0].status.members.map(\.name) == ["replica-1", "replica-2", "replica-3"])
        try await cluster.end()
    }

    @Test func oneReplicaAlone() async throws {
        let cluster = try TestCluster(1)
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        cluster.stop(0)
        try cluster.start(0)
        #expect(try await cluster.mustGet(0, "a") == "1")
        try await cluster.end()
    }

    private final class Queue: WorkQueue {
        let given = Locked(0)

        func run(_ work: @escaping @Sendable () -> Void) {
            given.withLock { $0 += 1 }
            work()
        }
    }

    @Test(arguments: [Int64.max, 0]) func smallReadsAreServedWhereTheyComeFrom(
        fileBytesMax: Int64
    ) async throws {
        let cluster = try TestCluster(1)
        cluster.adjust = { $0.inPlaceBytesMax = fileBytesMax }
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        let replica = cluster[0]
        let queue = Queue()
        let expected = fileBytesMax > 0 ? 1 : 0
        // The size of the file is looked at once a second.
        try await eventually("a read") {
            let before = queue.given.withLock { $0 }
            let read = await withCheckedContinuation { continuation in
                replica.readBarrier(on: queue) { continuation.resume(returning: $0) }
            }
            guard case .success = read else { return false }
            return queue.given.withLock { $0 } - before == expected
        }
        let isAnswered = Locked(false)
        replica.readLocally(on: queue) { _ in isAnswered.withLock { $0 = true } }
        if fileBytesMax > 0 { #expect(isAnswered.withLock { $0 }) }
        try await eventually("the other read") { isAnswered.withLock { $0 } }
        try await cluster.end()
    }

    @Test func manyWritesAtOnceAreAllAnswered() async throws {
        let cluster = try TestCluster()
        try cluster.startAll()
        try await cluster.mustPut(0, "first", "1")
        let acknowledged = await withTaskGroup(of: Int.self) { group in
            for writer in 0..<30 {
                group.addTask {
                    var count = 0
                    for number in 0..<50 {
                        let put = await cluster.put(writer % 3, "k-\(writer)-\(number)", "v")
                        if case .success = put { count += 1 }
                    }
                    return count
                }
            }
            return await group.reduce(0, +)
        }
        #expect(acknowledged == 1500)
        let range = RangeRequest(.prefix(Array("k-".utf8)))
        for index in 0..<3 {
            let count = try await eventually("the range") {
                try? await cluster.range(index, range).get().count
            }
            #expect(count == 1500)
        }
        try await cluster.end()
    }

    /// etcd's `physical`: with no more writes the ticks carry a compaction on, on each replica.
    @Test func compactionEndsWithoutMoreWrites() async throws {
        let cluster = try TestCluster()
        try cluster.startAll()
        var revision: Int64 = 0
        for _ in 0..<10 {
            let puts = (0..<128).map { number in
                Operation.put(PutRequest(key: Array("key-\(number)".utf8), value: [1]))
            }
            let answer = await cluster.propose(0, .transaction(TransactionRequest(success: puts)))
            guard case .transaction(.success(let written)) = try answer.get() else {
                Issue.record("not a transaction")
                continue
            }
            revision = written.revision
        }
        _ = try await cluster.propose(0, .compact(revision)).get()
        for index in 0..<3 {
            try await eventually("the entry") {
                cluster[index].keyspace?.compactRevision == revision
            }
            let keyspace = try #require(cluster[index].keyspace)
            let removed = await withCheckedContinuation { continuation in
                keyspace.whenRemoved(to: revision) { continuation.resume(returning: $0) }
            }
            try removed.get()
        }
        try await cluster.end()
    }

    @Test func anotherLeadsWhenTheLeaderStops() async throws {
        let cluster = try TestCluster()
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        let old = try await cluster.leader()
        cluster.stop(old)
        let others = (0..<3).filter { $0 != old }
        try await cluster.mustPut(others[0], "a", "2")
        try await cluster.mustPut(others[1], "b", "3")
        try cluster.start(old)
        #expect(try await cluster.mustGet(old, "a") == "2")
        #expect(try await cluster.mustGet(old, "b") == "3")
        try await cluster.mustPut(old, "c", "4")
        #expect(try await cluster.mustGet(others[0], "c") == "4")
        try await cluster.end()
    }

    @Test func allStopAndFindTheirStateAgain() async throws {
        let cluster = try TestCluster()
        try cluster.startAll()
        for number in 0..<20 { try await cluster.mustPut(number % 3, "k\(number)", "\(number)") }
        for round in 0..<2 {
            for index in 0..<3 { cluster.stop(index) }
            for index in 0..<3 { try cluster.start(index) }
            for number in 0..<20 {
                #expect(try await cluster.mustGet(number % 3, "k\(number)") == "\(number)")
            }
            try await cluster.mustPut(0, "round", "\(round)")
        }
        try await cluster.end()
    }

    @Test func withoutAQuorumNothingIsAcknowledged() async throws {
        let cluster = try TestCluster()
        cluster.adjust = { $0.requestMilliseconds = 700 }
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        let leader = try await cluster.leader()
        for index in 0..<3 where index != leader { cluster.stop(index) }
        let put = await cluster.put(leader, "a", "2")
        guard case .failure(let error) = put else {
            Issue.record("acknowledged")
            return
        }
        #expect(error.code == .timeout || error.code == .unavailable)
        let get = await cluster.get(leader, "a")
        guard case .failure = get else {
            Issue.record("a linearizable read was answered")
            return
        }
        try await cluster.end()
    }

    @Test func garbageOnThePeerPort() async throws {
        let cluster = try TestCluster()
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        for index in 0..<3 { try await cluster.sendGarbage(to: index) }
        try await cluster.mustPut(1, "a", "2")
        #expect(cluster.failures.withLock { $0.isEmpty })
        try await cluster.end()
    }

    @Test func leasesEndAndTakeTheirKeysAlong() async throws {
        let cluster = try TestCluster()
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        for (index, id) in [(0, Int64(71)), (1, Int64(72))] {
            let granted = await cluster.propose(index, .leaseGrant(id: id, ttlSeconds: 1))
            guard case .success(.lease(.success)) = granted else {
                Issue.record("no lease")
                return
            }
        }
        let put = TransactionRequest(
            success: [.put(PutRequest(key: Array("l".utf8), value: [1], lease: 71))])
        _ = await cluster.propose(2, .transaction(put))
        #expect(try await cluster.mustGet(1, "l") != nil)
        let kept = await cluster.keepAlive(2, 72)
        #expect((try? kept.get()) == 1)
        try await eventually("the end of the lease") {
            try await cluster.mustGet(1, "l") == nil
        }
        try await eventually("the end of the other lease") {
            if case .failure(let error) = await cluster.keepAlive(0, 72) {
                return error.code == .notFound
            }
            try await Task.sleep(for: .milliseconds(1100))
            return false
        }
        try await cluster.end()
    }
}
