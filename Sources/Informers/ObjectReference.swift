package import Objects

/// Names one object: its kind, namespace (empty for cluster-wide kinds) and name.
package struct ObjectReference: Sendable, Hashable {
    package var kind: ResourceKind
    package var namespace: String
    package var name: String

    package init(_ kind: ResourceKind, namespace: String, name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    package init(_ object: Object) {
        self.init(object.kind, namespace: object.namespace, name: object.name)
    }
}

extension ObjectReference: Comparable {
    package static func < (left: ObjectReference, right: ObjectReference) -> Bool {
        if left.namespace != right.namespace { return left.namespace < right.namespace }
        if left.name != right.name { return left.name < right.name }
        return left.kind.plural < right.kind.plural
    }
}
