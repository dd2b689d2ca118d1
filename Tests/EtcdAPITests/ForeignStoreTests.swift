import Basics
import EtcdAPI
import HTTP
import Keyspace
import Store
import Testing

/// A remote store over a server that knows etcd's calls alone.
@Suite(.timeLimit(.minutes(1)))
struct ForeignStoreTests {
    typealias Mutation = CommitRequest.Mutation
    typealias Guard = CommitRequest.Guard

    private func withForeign(
        _ body: (RemoteStore, any Store) async throws -> Void
    ) async throws {
        try await withRemoteStore(
            changing: { router in
                router.unary("/martlet.Store/Commit") { _, _, reply in
                    reply(GRPCStatus(.unimplemented, "unknown service martlet.Store"))
                }
            }, body)
    }

    private func put(_ key: String) -> Mutation { .put(key: bytes(key), value: [1], lease: 0) }

    @Test func `Objects of one resource never share a revision`() async throws {
        try await withForeign { remote, _ in
            let keys = [
                "/registry/pods/default/a", "/registry/pods/default/b", "/registry/pods/other/c",
                "/registry/replicasets/default/r", "/registry/events/default/e",
                "/registry/events/default/f",
            ]
            let done = try await remote.commit(CommitRequest(mutations: keys.map(put)))
            #expect(done == .committed(first: 2, last: 5))
            #expect(!remote.commitsWhole)
            let found = try await remote.range(RangeRequest(.all)).keyValues
            let revisions = Dictionary(
                uniqueKeysWithValues: found.map {
                    (String(decoding: $0.key, as: UTF8.self), $0.modRevision)
                })
            #expect(keys.map { revisions[$0] } == [2, 3, 4, 4, 4, 5])
        }
    }

    @Test func `A guard that fails writes nothing, and says what it found`() async throws {
        try await withForeign { remote, store in
            try await store.put("/registry/pods/default/a", "1")
            let last = try await store.put("/registry/pods/default/b", "1")
            let cases: [([Guard], CommitResponse)] = [
                (
                    [
                        .modRevision(key: bytes("/registry/pods/default/a"), equals: 2),
                        .modRevision(key: bytes("/registry/pods/default/b"), equals: 0),
                    ], .guardFailed(index: 1, revision: last)
                ),
                (
                    [.createRevision(key: bytes("/martlet/leaders/x"), equals: 7)],
                    .guardFailed(index: 0, revision: 0)
                ),
                (
                    [.unchanged(.prefix(bytes("/registry/pods/")), since: 2)],
                    .guardFailed(index: 0, revision: last)
                ),
            ]
            let mutations = [put("/registry/pods/x/1"), put("/registry/pods/x/2")]
            for (guards, expected) in cases {
                let request = CommitRequest(guards: guards, mutations: mutations)
                #expect(try await remote.commit(request) == expected)
            }
            let all = RangeRequest(.all)
            #expect(try await store.range(all).revision == last)
        }
    }

    @Test func `Guards on what a commit changes itself hold to its end`() async throws {
        try await withForeign { remote, store in
            let mod = try await store.put("/registry/pods/default/old", "1")
            let request = CommitRequest(
                guards: [
                    .modRevision(key: bytes("/registry/pods/default/new"), equals: 0),
                    .modRevision(key: bytes("/registry/pods/default/old"), equals: mod),
                    .createRevision(key: bytes("/registry/pods/default/old"), equals: mod),
                    .unchanged(.prefix(bytes("/registry/pods/")), since: mod),
                ],
                mutations: [
                    put("/registry/pods/default/new"),
                    .delete(key: bytes("/registry/pods/default/old")),
                    put("/registry/pods/default/third"),
                ])
            #expect(try await remote.commit(request) == .committed(first: mod + 1, last: mod + 3))
            #expect(try await store.get("/registry/pods/default/old") == nil)
        }
    }

    /// What the parts before have written is expected as they left it.
    @Test func `Guards follow the parts`() {
        let (a, b) = (bytes("/registry/pods/n/a"), bytes("/registry/pods/n/b"))
        let range = KeyRange.prefix(bytes("/registry/pods/"))
        var parts = CommitParts(
            CommitRequest(
                guards: [
                    .modRevision(key: a, equals: 0), .createRevision(key: a, equals: 0),
                    .modRevision(key: b, equals: 3), .createRevision(key: b, equals: 2),
                    .unchanged(range, since: 5),
                ],
                mutations: [
                    .put(key: a, value: [], lease: 0), .delete(key: b), put("/registry/pods/n/c"),
                ]))
        #expect(Array(parts.mutations) == [.put(key: a, value: [], lease: 0)])
        parts.committed(at: 9)
        #expect(
            parts.guards == [
                .modRevision(key: a, equals: 9), .createRevision(key: a, equals: 9),
                .modRevision(key: b, equals: 3), .createRevision(key: b, equals: 2),
                .unchanged(range, since: 9),
            ])
        parts.committed(at: 11)
        #expect(
            parts.guards == [
                .modRevision(key: a, equals: 9), .createRevision(key: a, equals: 9),
                .modRevision(key: b, equals: 0), .createRevision(key: b, equals: 0),
                .unchanged(range, since: 11),
            ])
        parts.committed(at: 12)
        #expect(parts.isEmpty)
    }

    @Test func `Too many guards name the flag that helps`() async throws {
        try await withForeign { remote, _ in
            let guards = (0..<129).map { Guard.modRevision(key: bytes("k\($0)"), equals: 0) }
            let request = CommitRequest(guards: guards, mutations: [put("k")])
            await #expect {
                _ = try await remote.commit(request)
            } throws: { error in
                "\(error)".contains("129 in one; start etcd with --max-txn-ops 10000")
            }
        }
    }

    /// The third answer is one; a member that has lost its leader gives others.
    @Test(arguments: [(0, 1), (60_000, 3)] as [(UInt64, Int)])
    func `Reads are asked again, writes are not`(patience: UInt64, reads: Int) async throws {
        let calls = Locked((reads: 0, writes: 0))
        try await withRemoteStore(
            changing: { router in
                router.unary("/etcdserverpb.KV/Range") { _, _, reply in
                    let count = calls.withLock { calls in
                        calls.reads += 1
                        return calls.reads
                    }
                    if count < 3 { return reply(GRPCStatus(.unavailable, "no leader")) }
                    reply([])
                }
                router.unary("/etcdserverpb.KV/Txn") { _, _, reply in
                    calls.withLock { $0.writes += 1 }
                    reply(GRPCStatus(.unavailable, "no leader"))
                }
            }, patienceMilliseconds: patience
        ) { remote, _ in
            let isRead = (try? await remote.range(RangeRequest(.all))) != nil
            #expect(isRead == (patience > 0))
            await #expect(throws: StoreError.self) { try await remote.put("a", "1") }
            #expect(calls.withLock { $0 } == (reads, 1))
        }
    }

    @Test func `An old server is not asked for progress`() async throws {
        try await withForeign { remote, store in
            remote.use(ServerVersion(3, 5, 1))
            let last = try await store.put("w/a", "1")
            let watch = remote.watch(WatchRequest(.prefix(bytes("w/")), startRevision: 1))
            #expect(try await watch.next().revision == last)
            try await store.put("elsewhere", "1")
            watch.requestProgress()
            let answer = try await watch.next()
            #expect(answer.events.isEmpty && answer.revision == last)
        }
    }

    @Test(arguments: [
        ("3.4.23", false), ("3.4.31", true), ("3.5.1", false), ("3.5.12", false),
        ("3.5.13", true), ("3.6.0-rc.1", true), ("3.7.0", true), ("4.0.0", true),
        ("3.3.27", false),
    ])
    func `Versions`(text: String, hasExactProgress: Bool) throws {
        #expect(try #require(ServerVersion(text)).hasExactProgress == hasExactProgress)
    }

    @Test(arguments: ["", "3", "3.5", "3.x.1", "etcd"])
    func `No versions`(text: String) {
        #expect(ServerVersion(text) == nil)
    }

    @Test func `One of several servers compacts, an interval behind`() async throws {
        try await withForeign { remote, store in
            var servers = [CompactionRound(), CompactionRound(), CompactionRound()]
            var compacted: [Int64] = []
            var before: Int64 = 0
            for _ in 0..<5 {
                let revision = try await store.put("a", "x")
                var doing: [Int64] = []
                for index in servers.indices {
                    let answer = try await remote.transaction(servers[index].transaction)
                    if let target = servers[index].answered(answer) { doing.append(target) }
                }
                #expect(doing.count <= 1 && doing.allSatisfy { $0 >= before && $0 < revision })
                compacted += doing
                before = revision
            }
            #expect(compacted.count == 4 && compacted == compacted.sorted())
        }
    }
}
