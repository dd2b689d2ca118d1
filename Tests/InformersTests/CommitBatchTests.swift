import Documents
import Basics
import Informers
import Keyspace
import Objects
import Testing

struct CommitBatchTests {
    private func object(_ name: String, revision: Int64 = 5) -> Object {
        Object(
            kind: .configMap,
            json: ["metadata": ["name": .string(name), "namespace": "default"]],
            revision: revision)
    }

    private func key(_ name: String) -> WorkKey {
        WorkKey(
            reconciler: 0, reference: ObjectReference(.configMap, namespace: "", name: name))
    }

    private func update(_ name: String) -> Plan {
        var plan = Plan()
        plan.update(object(name), to: ["metadata": ["name": .string(name)], "data": ["a": "b"]])
        return plan
    }

    @Test func plansThatTouchEachOtherAreKeptApart() {
        var batch = CommitBatch()
        batch.add(key("a"), update("a"), events: [])
        #expect(batch.accepts(update("b")))
        #expect(!batch.accepts(update("a")))
        var reader = Plan()
        reader.require(object("a"))
        #expect(!batch.accepts(reader))
        var watcher = Plan()
        watcher.requireUnchanged(ResourceKind.configMap.prefix(namespace: "default"), since: 5)
        #expect(!batch.accepts(watcher))
        // The other way round: a member that reads keeps a writer out.
        var readers = CommitBatch()
        readers.add(key("r"), reader, events: [])
        #expect(!readers.accepts(update("a")))
        #expect(readers.accepts(reader))
        var watchers = CommitBatch()
        watchers.add(key("w"), watcher, events: [])
        #expect(!watchers.accepts(update("a")))
    }

    @Test func theMemberWhoseGuardFailsIsTakenOut() throws {
        var batch = CommitBatch()
        batch.add(key("a"), update("a"), events: [])
        var plan = update("b")
        plan.require(object("c"))
        batch.add(key("b"), plan, events: [])
        batch.add(key("d"), update("d"), events: [])
        let fence = CommitRequest.Guard.createRevision(key: [1], equals: 3)
        let request = batch.request(fence: fence)
        #expect(request.guards.count == 5 && request.guards[0] == fence)
        #expect(batch.removeMember(ofGuard: 0) == nil)
        #expect(batch.removeMember(ofGuard: 3)?.key == key("b"))
        #expect(batch.members.map(\.key) == [key("a"), key("d")])
        #expect(batch.removeMember(ofGuard: 2)?.key == key("d"))
    }

    @Test func anUpdateThatEndsADeletionDeletes() {
        var leaving = object("a")
        leaving.json.set("2026-01-01T00:00:00Z", at: "metadata", "deletionTimestamp")
        leaving.finalizers = ["x"]
        var changed = leaving
        changed.finalizers = []
        var plan = Plan()
        plan.update(leaving, to: changed.json)
        #expect(plan.mutations == [.delete(key: leaving.key)])
        #expect(plan.guards == [.modRevision(key: leaving.key, equals: 5)])
    }

    @Test func equalObjectsAreNotWritten() {
        var plan = Plan()
        plan.update(object("a"), to: object("a").json)
        #expect(plan.isEmpty && plan.guards.isEmpty)
    }
}
