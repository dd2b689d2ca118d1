import Basics
import Keyspace
import Store
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RemoteStoreTests {
    @Test func `Ranges and transactions cross the wire`() async throws {
        try await withRemoteStore { remote, _ in
            for number in 0..<5 { try await remote.put("k\(number)", "v\(number)") }
            var request = RangeRequest(.prefix(bytes("k")), limit: 2)
            var response = try await remote.range(request)
            #expect(response.keyValues.map(\.key) == [bytes("k0"), bytes("k1")])
            #expect(response.count == 5 && response.more && response.revision == 6)
            request = RangeRequest(.all)
            request.sortOrder = .descending
            request.sortTarget = .value
            request.keysOnly = true
            response = try await remote.range(request)
            #expect(response.keyValues.first?.key == bytes("k4"))
            #expect(response.keyValues.first?.value == [])

            let compare = Compare(.key(bytes("k0")), .equal, .value(bytes("v0")))
            let transaction = TransactionRequest(
                compares: [compare],
                success: [
                    .put(PutRequest(key: bytes("k0"), value: bytes("new"), wantsPrevious: true)),
                    .deleteRange(DeleteRangeRequest(.key(bytes("k1")), wantsPrevious: true)),
                    .transaction(
                        TransactionRequest(success: [.range(RangeRequest(.key(bytes("k2"))))])),
                ], failure: [.range(RangeRequest(.all))])
            let answer = try await remote.transaction(transaction)
            #expect(answer.succeeded && answer.revision == 7)
            guard case .put(let put) = answer.responses[0],
                case .deleteRange(let deleted) = answer.responses[1],
                case .transaction(let inner) = answer.responses[2],
                case .range(let range) = inner.responses[0]
            else { throw StoreError(.corrupt, "kinds of answers") }
            #expect(put.previous?.value == bytes("v0"))
            #expect(deleted.deleted == 1 && deleted.previous.first?.value == bytes("v1"))
            #expect(range.keyValues.first?.value == bytes("v2"))
            #expect(try await remote.transaction(transaction).succeeded == false)
        }
    }

    @Test func `Errors keep etcd's words and their meaning`() async throws {
        try await withRemoteStore { remote, _ in
            try await remote.put("a", "1")
            try await remote.put("a", "2")
            try await remote.put("a", "3")
            #expect(try await remote.compact(to: 3) >= 3)
            await #expect(throws: StoreError.compacted(at: 0)) {
                _ = try await remote.range(RangeRequest(.all, revision: 2))
            }
            await #expect(throws: StoreError.futureRevision) {
                _ = try await remote.range(RangeRequest(.all, revision: 99))
            }
            await #expect(throws: StoreError.emptyKey) { try await remote.put("", "x") }
            await #expect(throws: StoreError.leaseNotFound) {
                _ = try await remote.leaseRevoke(id: 77)
            }
            let twice = (0..<2).map { _ in Operation.put(PutRequest(key: [1], value: [])) }
            await #expect(throws: StoreError.duplicateKey) {
                _ = try await remote.transaction(TransactionRequest(success: twice))
            }
            let many = (0..<129).map { Operation.range(RangeRequest(.key([UInt8($0)]))) }
            await #expect(throws: StoreError.tooManyOperations) {
                _ = try await remote.transaction(TransactionRequest(success: many))
            }
            await #expect(throws: StoreError.requestTooLarge) {
                _ = try await remote.put("big", String(repeating: "x", count: 1_600_000))
            }
        }
    }

    @Test func `Commits of many objects take as many revisions`() async throws {
        try await withRemoteStore { remote, _ in
            let mutations = (0..<500).map {
                CommitRequest.Mutation.put(key: bytes("k\($0)"), value: bytes("v"), lease: 0)
            }
            let done = try await remote.commit(CommitRequest(mutations: mutations))
            #expect(done == .committed(first: 2, last: 501))
            try await remote.put("k0", "later")
            let refused = try await remote.commit(
                CommitRequest(
                    guards: [
                        .createRevision(key: bytes("k0"), equals: 2),
                        .unchanged(.prefix(bytes("k")), since: 501),
                    ], mutations: [.delete(key: bytes("k0"))]))
            #expect(refused == .guardFailed(index: 1, revision: 502))
        }
    }

    @Test func `Leases are granted, kept, shown and revoked`() async throws {
        try await withRemoteStore { remote, _ in
            let lease = try await remote.leaseGrant(id: 0, ttlSeconds: 100)
            try await remote.put("a", "1", lease: lease.id)
            #expect(try await remote.leaseKeepAlive(id: lease.id).remainingTTLSeconds == 100)
            let shown = try await remote.leaseTimeToLive(id: lease.id, keys: true)
            #expect(shown.grantedTTLSeconds == 100 && shown.keys == [bytes("a")])
            #expect(try await remote.leases() == [lease.id])
            _ = try await remote.leaseRevoke(id: lease.id)
            #expect(try await remote.get("a") == nil)
            await #expect(throws: StoreError.leaseNotFound) {
                _ = try await remote.leaseKeepAlive(id: lease.id)
            }
            await #expect(throws: StoreError.leaseNotFound) {
                _ = try await remote.leaseTimeToLive(id: lease.id, keys: false)
            }
        }
    }

    @Test func `A watch goes from history into the present`() async throws {
        try await withRemoteStore { remote, _ in
            try await remote.put("w/a", "1")
            try await remote.put("other", "1")
            let watch = remote.watch(
                WatchRequest(.prefix(bytes("w/")), startRevision: 1, wantsPrevious: true))
            var events = try await watch.next().events
            #expect(events.map(\.keyValue.value) == [bytes("1")])
            try await remote.put("w/a", "2")
            events = try await watch.next().events
            #expect(events.first?.previous?.value == bytes("1"))
            _ = try await remote.commit(CommitRequest(mutations: [.delete(key: bytes("w/a"))]))
            events = try await watch.next().events
            #expect(events.first?.kind == .delete)
            let last = try await remote.put("other", "2")
            watch.requestProgress()
            let progress = try await watch.next()
            #expect(progress.events.isEmpty && progress.revision == last)
            watch.cancel()
            await #expect(throws: StoreError.self) { _ = try await watch.next() }
        }
    }

    @Test func `A watch into compacted history says up to where it is gone`() async throws {
        try await withRemoteStore { remote, _ in
            for _ in 0..<5 { try await remote.put("a", "1") }
            _ = try await remote.compact(to: 4)
            let watch = remote.watch(WatchRequest(.all, startRevision: 2))
            await #expect(throws: StoreError.compacted(at: 4)) { _ = try await watch.next() }
        }
    }

    @Test func `A watcher that is not pulled loses nothing`() async throws {
        try await withRemoteStore { remote, store in
            let watch = remote.watch(WatchRequest(.prefix(bytes("big")), startRevision: 1))
            let value = String(repeating: "x", count: 100_000)
            for number in 0..<200 { try await store.put("big\(number)", value) }
            var keys: [Bytes] = []
            while keys.count < 200 { keys += try await watch.next().events.map(\.keyValue.key) }
            #expect(keys == (0..<200).map { bytes("big\($0)") })
        }
    }

    /// Who goes on behind a batch whose stream broke must not miss what had not come yet.
    @Test(arguments: [1, 2, 50] as [Int64])
    func `A batch of history reaches as far as its events`(start: Int64) async throws {
        try await withRemoteStore { remote, store in
            let value = String(repeating: "x", count: 100_000)
            for number in 0..<100 { try await store.put("big\(number)", value) }
            let watch = remote.watch(WatchRequest(.prefix(bytes("big")), startRevision: start))
            var batches = 0
            var reached = max(1, start - 1)
            while reached < 101 {
                let batch = try await watch.next()
                let first = try #require(batch.events.first).keyValue.modRevision
                #expect(first == reached + 1)
                #expect(batch.revision == batch.events.last?.keyValue.modRevision)
                reached = batch.revision
                batches += 1
            }
            #expect(batches > 1)
        }
    }

    @Test func `Status and members`() async throws {
        try await withRemoteStore { remote, store in
            store.quotaBytes = 3_000_000_000
            let status = try await remote.status()
            #expect(status.clusterID == 0xc1 && status.leaderID == status.memberID)
            #expect(status.members.map(\.name) == ["replica-1"])
            #expect(status.quotaBytes == 3_000_000_000)
        }
    }
}
