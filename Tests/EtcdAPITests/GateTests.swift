import Basics
import Keyspace
import Store
import TestSupport
import Testing

/// Objects of these tests are text: `pod NODE [terminating] [secret=NAME] | STATUS` and
/// `event NODE`.
private struct TextInspector: GateInspector {
    private func words(_ value: Bytes) -> [Substring] {
        String(decoding: value, as: UTF8.self).split(separator: "|")[0].split(separator: " ")
    }

    func boundPod(_ keyValue: KeyValue, node: String) -> GatedPod? {
        let words = words(keyValue.value)
        guard words.count >= 2, words[0] == "pod", words[1] == node else { return nil }
        let secrets = words.filter { $0.hasPrefix("secret=") }.map { String($0.dropFirst(7)) }
        return GatedPod(
            isTerminating: words.contains("terminating"), configMaps: [], secrets: secrets)
    }

    func changesOnlyStatus(from old: Bytes, to new: Bytes) -> Bool { words(old) == words(new) }

    func eventHost(_ value: Bytes) -> String? {
        let words = words(value)
        return words.count == 2 && words[0] == "event" ? String(words[1]) : nil
    }
}

@Suite(.timeLimit(.minutes(1)))
struct GateTests {
    private func withGate(
        _ body: (RemoteStore, KeyspaceStore) async throws -> Void
    ) async throws {
        try await withRemoteStore(gate: ("n1", TextInspector())) { gated, store in
            try await store.put("/registry/minions/n1", "node")
            try await store.put("/registry/minions/n2", "node")
            try await store.put("/registry/pods/ns/mine", "pod n1 secret=s1|Pending")
            try await store.put("/registry/pods/ns/other", "pod n2 secret=s2|Pending")
            try await store.put("/registry/secrets/ns/s1", "one")
            try await store.put("/registry/secrets/ns/s2", "two")
            try await store.put("/registry/secrets/kube-system/s1", "three")
            try await body(gated, store)
        }
    }

    private func commit(
        _ store: RemoteStore, _ mutation: CommitRequest.Mutation,
        guards: [CommitRequest.Guard] = []
    ) async throws -> CommitResponse {
        try await store.commit(CommitRequest(guards: guards, mutations: [mutation]))
    }

    private func put(_ key: String, _ value: String) -> CommitRequest.Mutation {
        .put(key: bytes(key), value: bytes(value), lease: 0)
    }

    @Test func `An agent reads what is its own and nothing else`() async throws {
        try await withGate { gated, _ in
            #expect(try await gated.get("/registry/minions/n1") == "node")
            #expect(try await gated.get("/registry/secrets/ns/s1") == "one")
            let pods = try await gated.range(RangeRequest(.prefix(bytes("/registry/pods/"))))
            #expect(pods.keyValues.map(\.key) == [bytes("/registry/pods/ns/mine")])
            #expect(pods.count == 1 && !pods.more)
            #expect(try await gated.get("/registry/pods/ns/other") == nil)
            for key in [
                "/registry/minions/n2", "/registry/secrets/ns/s2",
                "/registry/secrets/kube-system/s1", "/registry/configmaps/ns/s1",
                "/registry/leases/kube-node-lease/n2", "/registry/pods/ns/mine/more", "a",
            ] {
                await #expect(throws: StoreError.permissionDenied) { _ = try await gated.get(key) }
            }
            for range in [
                KeyRange.all, .prefix(bytes("/registry/secrets/")), .prefix(bytes("/registry/")),
                KeyRange(start: bytes("/registry/pods/"), end: .unbounded),
                KeyRange(start: bytes("/registry/pods/"), end: .before(bytes("/registry/z"))),
            ] {
                await #expect(throws: StoreError.permissionDenied) {
                    _ = try await gated.range(RangeRequest(range))
                }
            }
        }
    }

    @Test func `An agent writes its node, its lease and its events`() async throws {
        try await withGate { gated, store in
            _ = try await commit(gated, put("/registry/minions/n1", "changed"))
            _ = try await commit(gated, put("/registry/leases/kube-node-lease/n1", "lease"))
            let event = "/registry/events/ns/e1"
            _ = try await commit(gated, put(event, "event n1"))
            _ = try await commit(gated, put(event, "event n1"))
            try await store.put("/registry/events/ns/e2", "event n2")
            for mutation in [
                put("/registry/minions/n2", "x"), put("/registry/leases/kube-node-lease/n2", "x"),
                put("/registry/leases/kube-system/n1", "x"), put(event, "event n2"),
                put("/registry/events/ns/e2", "event n1"), put("/registry/secrets/ns/s1", "x"),
                .delete(key: bytes("/registry/minions/n1")), .delete(key: bytes(event)),
                .put(key: bytes("/registry/minions/n1"), value: [], lease: 5),
            ] {
                await #expect(throws: StoreError.permissionDenied) {
                    _ = try await commit(gated, mutation)
                }
            }
            await #expect(throws: StoreError.permissionDenied) {
                _ = try await gated.put("/registry/minions/n1", "by transaction")
            }
            await #expect(throws: StoreError.permissionDenied) {
                _ = try await gated.compact(to: 2)
            }
            #expect(try await gated.leaseGrant(id: 0, ttlSeconds: 3600).id != 0)
            #expect(try await store.get("/registry/minions/n1") == "changed")
        }
    }

    @Test func `Of a pod only the status changes, and only a dying one goes`() async throws {
        try await withGate { gated, store in
            let mine = "/registry/pods/ns/mine"
            _ = try await commit(gated, put(mine, "pod n1 secret=s1|Running"))
            for mutation in [
                put(mine, "pod n1 secret=s2|Running"), put(mine, "pod n2 secret=s1|Running"),
                put("/registry/pods/ns/other", "pod n2 secret=s2|Running"),
                put("/registry/pods/ns/new", "pod n1|Running"), .delete(key: bytes(mine)),
                .delete(key: bytes("/registry/pods/ns/other")),
            ] {
                await #expect(throws: StoreError.permissionDenied) {
                    _ = try await commit(gated, mutation)
                }
            }
            try await store.put(mine, "pod n1 terminating|Running")
            _ = try await commit(gated, .delete(key: bytes(mine)))
            #expect(try await store.get(mine) == nil)
            // Writing to what is gone fails by the agent's own guard, which tells it so.
            let late = try await commit(
                gated, put(mine, "pod n1|Failed"),
                guards: [.modRevision(key: bytes(mine), equals: 4)])
            guard case .guardFailed(0, _) = late else {
                Issue.record("wrote to a pod that is gone: \(late)")
                return
            }
        }
    }

    @Test func `Guards are for what is written`() async throws {
        try await withGate { gated, _ in
            for one in [
                CommitRequest.Guard.modRevision(
                    key: bytes("/registry/secrets/ns/s2"), equals: 3),
                .unchanged(.all, since: 1),
                .createRevision(key: bytes("/registry/minions/n1"), equals: 2),
            ] {
                await #expect(throws: StoreError.permissionDenied) {
                    _ = try await commit(gated, put("/registry/minions/n1", "x"), guards: [one])
                }
            }
        }
    }

    @Test func `A watch shows the node's pods`() async throws {
        try await withGate { gated, store in
            let watch = gated.watch(
                WatchRequest(.prefix(bytes("/registry/pods/")), startRevision: 1))
            try await store.put("/registry/pods/ns/third", "pod n2|")
            try await store.put("/registry/pods/ns/mine", "pod n1|Running")
            for name in ["other", "mine"] {
                _ = try await store.commit(
                    CommitRequest(mutations: [.delete(key: bytes("/registry/pods/ns/\(name)"))]))
            }
            var events: [Event] = []
            while events.count < 3 { events += try await watch.next().events }
            #expect(events.allSatisfy { $0.keyValue.key == bytes("/registry/pods/ns/mine") })
            #expect(events.map(\.kind) == [.put, .put, .delete])
            #expect(events.allSatisfy { $0.previous == nil })
            let refused = gated.watch(WatchRequest(.prefix(bytes("/registry/secrets/"))))
            await #expect(throws: StoreError.permissionDenied) { _ = try await refused.next() }
        }
    }
}
