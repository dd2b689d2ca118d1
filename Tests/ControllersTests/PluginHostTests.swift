import Documents
import Basics
import Controllers
import Informers
import Keyspace
import Objects
import Store
import Testing

/// The host with a reconciler that copies a ConfigMap's `in` to its `out`.
@Suite(.timeLimit(.minutes(1)))
struct PluginHostTests {
    private struct Copier: Reconciler {
        let component = "copier"
        /// Names are added to this when they are reconciled.
        let seen: Locked<[String]>
        /// What `later` was told to wait.
        var waited = false

        mutating func observe(
            _ change: Change, in view: borrowing ClusterView, now: WallTime,
            dirty: inout DirtyKeys
        ) {
            if change.kind == .configMap, change.new != nil { dirty.mark(change.reference) }
        }

        mutating func reconcile(
            _ key: ObjectReference, _ context: inout ReconcileContext
        ) -> Plan {
            seen.withLock { $0.append(key.name) }
            var plan = Plan()
            guard let map = context.view[key] else { return plan }
            if map.name == "later", !waited {
                waited = true
                plan.requeue(afterMilliseconds: 20)
                return plan
            }
            guard let value = map.json.path("data", "in") else { return plan }
            if value == "fail" {
                plan.fail("asked to fail")
                return plan
            }
            var changed = map.json
            changed.set(value, at: "data", "out")
            plan.update(map, to: changed)
            return plan
        }
    }

    private func run(
        _ store: MemoryStore, seen: Locked<[String]> = Locked([]),
        _ body: (StoreClient) async throws -> Void
    ) async throws {
        let client = StoreClient(store: store)
        let host = Task {
            let configuration = PluginHost.Configuration(
                plugin: "copier", kinds: [.namespace, .configMap])
            await PluginHost(
                store: store, configuration: configuration, seed: 1,
                reconcilers: { [Copier(seen: seen)] }
            ).run()
        }
        try await body(client)
        host.cancel()
        await host.value
    }

    private func map(_ name: String, _ value: String) -> JSON {
        ["metadata": ["name": .string(name)], "data": ["in": .string(value)]]
    }

    private func out(_ client: StoreClient, _ name: String) async throws -> JSON? {
        try await client.get(.configMap, name)?.json.path("data", "out")
    }

    @Test func manyKeysGoInFewCommits() async throws {
        let store = MemoryStore()
        let client = StoreClient(store: store)
        for index in 0..<500 {
            try await client.create(.configMap, map("m-\(index)", "\(index)"))
        }
        let before = store.state.withLock { $0.commits }
        try await run(store) { client in
            try await client.until { try await out(client, "m-499") == "499" }
            // One for the leadership, and batches of 256.
            #expect(store.state.withLock { $0.commits } - before <= 4)
            for index in 0..<500 {
                let copied = try await out(client, "m-\(index)")
                #expect(copied == .string(String(index)))
            }
        }
    }

    @Test func aConflictCostsTheOneKeyARetry() async throws {
        let store = MemoryStore()
        let client = StoreClient(store: store)
        for name in ["a", "b", "c"] { try await client.create(.configMap, map(name, "old")) }
        // Another writer changes b between the view and the commit.
        store.state.withLock { state in
            state.beforeCommit = { engine, request in
                let key = ResourceKind.configMap.key(namespace: "default", name: "b")
                guard request.mutations.contains(where: { $0.key == key }),
                    let current = engine.values[key],
                    var object = try? Object.decode(current),
                    object.json.path("data", "in") == "old"
                else { return }
                object.json.set("new", at: "data", "in")
                _ = engine.commit(
                    CommitRequest(mutations: [
                        .put(key: key, value: object.encodeStored(), lease: 0)
                    ]))
            }
        }
        try await run(store) { client in
            try await client.until { try await out(client, "b") == "new" }
            #expect(try await out(client, "a") == "old")
            #expect(try await out(client, "c") == "old")
        }
    }

    @Test func aRequeueComesBackAndAFailureBacksOff() async throws {
        let store = MemoryStore()
        let seen = Locked<[String]>([])
        try await run(store, seen: seen) { client in
            try await client.create(.configMap, map("later", "x"))
            try await client.create(.configMap, map("failing", "fail"))
            try await client.until { try await out(client, "later") == "x" }
            try await client.until {
                seen.withLock { $0.count { $0 == "failing" } } >= 3
            }
            try await client.update(.configMap, "failing") { $0.set("fine", at: "data", "in") }
            try await client.until { try await out(client, "failing") == "fine" }
        }
    }

    @Test func aRevisionOutsideOfTheWatchDoesNotHoldTheHost() async throws {
        let store = MemoryStore()
        let client = StoreClient(store: store)
        try await client.create(.configMap, map("a", "1"))
        store.state.withLock { state in
            state.beforeCommit = { engine, request in
                guard request.mutations.contains(where: { $0.key.readable.hasSuffix("/a") })
                else { return }
                // A stranger's key moves the store's revision each time.
                _ = engine.commit(
                    CommitRequest(mutations: [.put(key: Bytes("x".utf8), value: [], lease: 0)]))
            }
        }
        try await run(store) { client in
            for value in ["1", "2", "3"] {
                try await client.update(.configMap, "a") {
                    $0.set(.string(value), at: "data", "in")
                }
                try await client.until { try await out(client, "a") == .string(value) }
            }
        }
    }

    @Test func idleNothingIsAsked() async throws {
        let store = MemoryStore()
        let seen = Locked<[String]>([])
        try await run(store, seen: seen) { client in
            try await client.create(.configMap, map("a", "1"))
            try await client.until { try await out(client, "a") == "1" }
            try await client.until { seen.withLock { $0.count } >= 2 }
            let before = store.state.withLock { $0.commits }
            try await Task.sleep(for: .milliseconds(100))
            #expect(store.state.withLock { $0.commits } == before)
            #expect(seen.withLock { $0.count } == 2)
        }
    }

    @Test func aDeposedLeaderWritesNothing() async throws {
        let store = MemoryStore()
        try await run(store) { client in
            try await client.create(.configMap, map("a", "1"))
            try await client.until { try await out(client, "a") == "1" }
            // Another takes the key, under the same lease so that no keep-alive notices.
            let key = Bytes("/martlet/leaders/copier".utf8)
            store.state.withLock { state in
                _ = state.engine.commit(CommitRequest(mutations: [.delete(key: key)]))
                _ = state.engine.commit(
                    CommitRequest(mutations: [
                        .put(key: key, value: Bytes("another".utf8), lease: 0)
                    ]))
            }
            try await client.create(.configMap, map("b", "2"))
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await out(client, "b") == nil)
            // When the other is gone, the host leads again and catches up.
            _ = try await store.commit(CommitRequest(mutations: [.delete(key: key)]))
            try await client.until { try await out(client, "b") == "2" }
        }
    }
}
