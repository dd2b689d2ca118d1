package import Documents
package import Basics
package import Objects

/// A controller's decisions: a value without IO or clock, driven by a `PluginHost`.
///
/// `reconcile` reads the view and plans; it is called again for the same key only once the view
/// shows what the plan committed, so no instance keeps expectations of its own writes.
package protocol Reconciler: Sendable {
    /// Named as the source of its events.
    var component: String { get }

    /// Keys to look at when the view is filled, whether anything changed or not.
    var startKeys: [ObjectReference] { get }

    /// Told of every change of the view, after the whole batch is in it; marks what it touches.
    mutating func observe(
        _ change: Change, in view: borrowing ClusterView, now: WallTime, dirty: inout DirtyKeys)

    mutating func reconcile(
        _ key: ObjectReference, _ context: inout ReconcileContext
    ) -> Plan
}

extension Reconciler {
    package var startKeys: [ObjectReference] { [] }
}

/// Keys that changes have touched, in order.
package struct DirtyKeys: Sendable {
    package private(set) var keys: [ObjectReference] = []

    package init() {}

    package mutating func mark(_ key: ObjectReference) {
        keys.append(key)
    }

    package mutating func mark(_ object: Object) {
        keys.append(ObjectReference(object))
    }
}

/// What a reconcile may look at.
package struct ReconcileContext: Sendable {
    package let view: ClusterView
    package let now: WallTime
    package var random: SeededRandom

    package init(view: ClusterView, now: WallTime, random: SeededRandom) {
        self.view = view
        self.now = now
        self.random = random
    }

    package mutating func uid() -> String {
        Names.uid(using: &random)
    }

    package mutating func nameSuffix() -> String {
        Names.suffix(using: &random)
    }

    /// The object as a create request would store it.
    package mutating func make(
        _ kind: ResourceKind, _ json: JSON, namespace: String
    ) throws(APIError) -> Object {
        let uid = uid()
        let suffix = nameSuffix()
        let prepared = try Strategy.prepareCreate(
            kind, json, namespace: namespace, now: now, uid: uid, nameSuffix: suffix)
        return Object(kind: kind, json: prepared)
    }
}
