import Documents
import Basics
import Informers
import Keyspace
import Objects
import Testing

struct ClusterViewTests {
    private func pod(
        _ name: String, uid: String, node: String? = nil, owner: String? = nil,
        in namespace: String = "default"
    ) -> Object {
        var json: JSON = [
            "metadata": [
                "name": .string(name), "namespace": .string(namespace), "uid": .string(uid),
            ],
            "spec": [:],
        ]
        if let node { json.set(.string(node), at: "spec", "nodeName") }
        if let owner {
            json.set(
                [["kind": "ReplicaSet", "name": "rs", "uid": .string(owner), "controller": true]],
                at: "metadata", "ownerReferences")
        }
        return Object(kind: .pod, json: json)
    }

    private func put(_ object: Object, at revision: Int64) -> Event {
        Event(
            kind: .put,
            keyValue: KeyValue(
                key: object.key, value: object.encodeStored(), createRevision: revision,
                modRevision: revision, version: 1))
    }

    private func delete(_ object: Object, at revision: Int64) -> Event {
        Event(
            kind: .delete,
            keyValue: KeyValue(
                key: object.key, value: [], createRevision: 0, modRevision: revision, version: 0))
    }

    @Test func indexesFollowChanges() {
        var view = ClusterView(kinds: [.pod])
        let first = pod("p", uid: "1", owner: "rs-1")
        var changes = view.apply(WatchBatch(events: [put(first, at: 2)], revision: 2))
        #expect(changes.count == 1 && changes[0].old == nil)
        #expect(view.revision == 2)
        #expect(view.object(uid: "1")?.revision == 2)
        #expect(view.controlled(.pod, byUID: "rs-1").map(\.name) == ["p"])
        #expect(view.dependents(ofUID: "rs-1").map(\.name) == ["p"])
        #expect(view.orphans(.pod, in: "default").isEmpty)
        #expect(view.pods(onNode: "a").isEmpty)
        let second = pod("p", uid: "1", node: "a")
        changes = view.apply(WatchBatch(events: [put(second, at: 3)], revision: 3))
        #expect(changes[0].old?.revision == 2 && changes[0].new?.revision == 3)
        #expect(view.controlled(.pod, byUID: "rs-1").isEmpty)
        #expect(view.orphans(.pod, in: "default").map(\.name) == ["p"])
        #expect(view.pods(onNode: "a").map(\.name) == ["p"])
        changes = view.apply(WatchBatch(events: [delete(second, at: 4)], revision: 4))
        #expect(changes[0].isDeletion)
        #expect(view.count == 0)
        #expect(view.object(uid: "1") == nil)
        #expect(view.pods(onNode: "a").isEmpty)
        #expect(view.all(.pod, in: "default").isEmpty)
    }

    @Test func aNewObjectOfTheNameKeepsItsUID() {
        var view = ClusterView(kinds: [.pod])
        let old = pod("p", uid: "1")
        let new = pod("p", uid: "2")
        _ = view.apply(
            WatchBatch(
                events: [put(old, at: 2), delete(old, at: 3), put(new, at: 4)], revision: 4))
        #expect(view.object(uid: "1") == nil)
        #expect(view.object(uid: "2")?.name == "p")
    }

    @Test func foreignValuesAndKindsAreNotThere() {
        var view = ClusterView(kinds: [.pod])
        let real = pod("p", uid: "1")
        _ = view.apply(WatchBatch(events: [put(real, at: 2)], revision: 2))
        var garbage = put(real, at: 3)
        garbage.keyValue.value = Bytes("not an object".utf8)
        var node = put(Object(kind: .node, json: ["metadata": ["name": "n"]]), at: 4)
        node.keyValue.modRevision = 4
        let changes = view.apply(WatchBatch(events: [garbage, node], revision: 5))
        // What became unreadable is gone for controllers.
        #expect(changes.count == 1 && changes[0].isDeletion)
        #expect(view.count == 0)
        #expect(view.revision == 5)
    }

    @Test func aBatchSeenBeforeChangesNothing() {
        var view = ClusterView(kinds: [.pod])
        let batch = WatchBatch(events: [put(pod("p", uid: "1"), at: 2)], revision: 2)
        #expect(view.apply(batch).count == 1)
        #expect(view.apply(batch).isEmpty)
    }

    @Test func aNewListTellsTheDifferences() {
        var view = ClusterView(kinds: [.pod])
        var same = pod("same", uid: "1")
        same.revision = 2
        var changed = pod("changed", uid: "2")
        changed.revision = 3
        var gone = pod("gone", uid: "3")
        gone.revision = 4
        #expect(view.reset(to: [same, changed, gone], revision: 4).count == 3)
        changed.revision = 9
        var new = pod("new", uid: "4")
        new.revision = 10
        let changes = view.reset(to: [changed, new, same], revision: 10)
        #expect(changes.map(\.reference.name) == ["gone", "changed", "new"])
        #expect(changes.map(\.isDeletion) == [true, false, false])
        #expect(view.revision == 10)
    }

    @Test func namesOnlyKindsAreHeldByName() throws {
        let view = ClusterView(kinds: [.pod, .event], namesOnly: [.event])
        let event = Object(
            kind: .event,
            json: [
                "metadata": ["name": "e", "namespace": "default", "uid": "1"], "message": "long",
            ])
        let held = try #require(view.decode(put(event, at: 7).keyValue))
        #expect(held.name == "e" && held.namespace == "default" && held.revision == 7)
        #expect(held.json["message"] == nil && held.uid.isEmpty)
    }

    @Test func orderDoesNotDependOnTheProcess() {
        var view = ClusterView(kinds: [.pod])
        var events: [Event] = []
        for index in (0..<50).reversed() {
            events.append(put(pod("p-\(index + 10)", uid: "\(index)"), at: Int64(100 - index)))
        }
        _ = view.apply(WatchBatch(events: events, revision: 200))
        let names = view.all(.pod).map(\.name)
        #expect(names == names.sorted() && names.count == 50)
    }
}
