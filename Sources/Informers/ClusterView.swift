import Documents
package import Keyspace
package import Objects

/// The objects of some kinds, all as they stood at one revision of the store.
///
/// What the view does not hold does not exist at `revision`. It is filled by a list at a
/// revision and then moves by whole watch batches, so that no reader sees half a commit.
package struct ClusterView: Sendable {
    package private(set) var revision: Int64 = 0
    private let kinds: [ResourceKind]
    private let namesOnly: [ResourceKind]
    private var objects: [ObjectReference: Object] = [:]
    private var byKind = NameIndex()
    private var byNamespace = NameIndex()
    private var byOwner = NameIndex()
    private var byController = NameIndex()
    private var podsByNode = NameIndex()
    private var byUID: [String: ObjectReference] = [:]

    /// Of the kinds in `namesOnly` the view holds metadata with the name and nothing else.
    package init(kinds: [ResourceKind], namesOnly: [ResourceKind] = []) {
        self.kinds = kinds
        self.namesOnly = namesOnly
    }

    package func holds(_ kind: ResourceKind) -> Bool {
        kinds.contains(kind)
    }

    package var count: Int { objects.count }

    // MARK: Reading

    package subscript(_ reference: ObjectReference) -> Object? {
        objects[reference]
    }

    package func object(_ kind: ResourceKind, _ namespace: String, _ name: String) -> Object? {
        objects[ObjectReference(kind, namespace: namespace, name: name)]
    }

    package func object(uid: String) -> Object? {
        byUID[uid].flatMap { objects[$0] }
    }

    package func all(_ kind: ResourceKind) -> [Object] {
        resolve(byKind.sorted(under: Self.kindKey(kind)))
    }

    package func count(_ kind: ResourceKind) -> Int {
        byKind.count(under: Self.kindKey(kind))
    }

    package func all(_ kind: ResourceKind, in namespace: String) -> [Object] {
        resolve(byNamespace.sorted(under: Self.namespaceKey(kind, namespace)))
    }

    package func count(_ kind: ResourceKind, in namespace: String) -> Int {
        byNamespace.count(under: Self.namespaceKey(kind, namespace))
    }

    /// Objects of any kind that name `uid` among their owners.
    package func dependents(ofUID uid: String) -> [Object] {
        resolve(byOwner.sorted(under: uid))
    }

    package func dependentCount(ofUID uid: String) -> Int {
        byOwner.count(under: uid)
    }

    /// Objects of `kind` whose controller is `uid`.
    package func controlled(_ kind: ResourceKind, byUID uid: String) -> [Object] {
        resolve(byController.sorted(under: Self.controllerKey(kind, uid)))
    }

    /// Objects of `kind` in the namespace that have no controller.
    package func orphans(_ kind: ResourceKind, in namespace: String) -> [Object] {
        resolve(byController.sorted(under: Self.orphanKey(kind, namespace)))
    }

    package func pods(onNode node: String) -> [Object] {
        resolve(podsByNode.sorted(under: node))
    }

    private func resolve(_ references: [ObjectReference]) -> [Object] {
        references.compactMap { objects[$0] }
    }

    // MARK: Writing

    /// Moves the view to the end of a watch batch; answers what changed, in revision order.
    ///
    /// A value that is not an object counts as absent: what etcd clients put under /registry
    /// must not stop a controller.
    package mutating func apply(_ batch: WatchBatch) -> [Change] {
        var changes: [Change] = []
        changes.reserveCapacity(batch.events.count)
        for event in batch.events where event.keyValue.modRevision > revision {
            guard let parsed = ResourceKind.parse(key: event.keyValue.key), holds(parsed.kind)
            else { continue }
            let reference = ObjectReference(
                parsed.kind, namespace: parsed.namespace, name: parsed.name)
            let new = event.kind == .put ? decode(event.keyValue) : nil
            if let change = replace(reference, with: new) { changes.append(change) }
        }
        revision = max(revision, batch.revision)
        return changes
    }

    /// The object of a key as the view holds it; nil for a value that is not an object.
    package func decode(_ keyValue: KeyValue) -> Object? {
        guard let parsed = ResourceKind.parse(key: keyValue.key), holds(parsed.kind) else {
            return nil
        }
        guard namesOnly.contains(parsed.kind) else {
            return try? Object.decode(keyValue, as: parsed.kind)
        }
        var metadata: JSON = ["name": .string(parsed.name)]
        if parsed.kind.isNamespaced { metadata["namespace"] = .string(parsed.namespace) }
        return Object(
            kind: parsed.kind, json: ["metadata": metadata], revision: keyValue.modRevision)
    }

    /// Replaces everything by a list taken at `revision`; answers the differences, deletions
    /// first.
    package mutating func reset(to listed: [Object], revision: Int64) -> [Change] {
        var changes: [Change] = []
        var kept: Set<ObjectReference> = []
        for object in listed { kept.insert(ObjectReference(object)) }
        for reference in objects.keys.sorted() where !kept.contains(reference) {
            if let change = replace(reference, with: nil) { changes.append(change) }
        }
        for object in listed {
            let reference = ObjectReference(object)
            if let old = objects[reference], old.revision == object.revision { continue }
            if let change = replace(reference, with: object) { changes.append(change) }
        }
        self.revision = revision
        return changes
    }

    private mutating func replace(_ reference: ObjectReference, with new: Object?) -> Change? {
        let old = objects[reference]
        guard old != nil || new != nil else { return nil }
        if let old { unindex(old, reference) }
        objects[reference] = new
        if let new { index(new, reference) }
        return Change(old: old, new: new)
    }

    private mutating func index(_ object: Object, _ reference: ObjectReference) {
        byKind.insert(reference, under: Self.kindKey(object.kind))
        byNamespace.insert(
            reference, under: Self.namespaceKey(object.kind, object.namespace))
        if !object.uid.isEmpty { byUID[object.uid] = reference }
        for owner in object.ownerReferences { byOwner.insert(reference, under: owner.uid) }
        byController.insert(reference, under: Self.controllerKey(object))
        if let node = Self.node(of: object) { podsByNode.insert(reference, under: node) }
    }

    private mutating func unindex(_ object: Object, _ reference: ObjectReference) {
        byKind.remove(reference, under: Self.kindKey(object.kind))
        byNamespace.remove(
            reference, under: Self.namespaceKey(object.kind, object.namespace))
        if byUID[object.uid] == reference { byUID[object.uid] = nil }
        for owner in object.ownerReferences { byOwner.remove(reference, under: owner.uid) }
        byController.remove(reference, under: Self.controllerKey(object))
        if let node = Self.node(of: object) { podsByNode.remove(reference, under: node) }
    }

    // MARK: Index keys

    private static func kindKey(_ kind: ResourceKind) -> String {
        kind.qualifiedPlural
    }

    private static func namespaceKey(_ kind: ResourceKind, _ namespace: String) -> String {
        kindKey(kind) + "/" + namespace
    }

    private static func controllerKey(_ kind: ResourceKind, _ uid: String) -> String {
        kindKey(kind) + ":" + uid
    }

    private static func orphanKey(_ kind: ResourceKind, _ namespace: String) -> String {
        kindKey(kind) + "/" + namespace
    }

    private static func controllerKey(_ object: Object) -> String {
        if let owner = object.controllerOwner { return controllerKey(object.kind, owner.uid) }
        return orphanKey(object.kind, object.namespace)
    }

    private static func node(of object: Object) -> String? {
        guard object.kind == .pod,
            let node = object.json.path("spec", "nodeName")?.stringValue, !node.isEmpty
        else { return nil }
        return node
    }
}
