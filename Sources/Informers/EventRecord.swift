package import Objects

/// Something worth telling the users of an object, in upstream's words.
package struct EventRecord: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case normal = "Normal"
        case warning = "Warning"
    }

    package var kind: Kind
    package var reason: String
    package var message: String
    package var regarding: ObjectReference
    package var uid: String
    package var revision: Int64

    package init(_ kind: Kind, _ reason: String, _ message: String, about object: Object) {
        self.kind = kind
        self.reason = reason
        self.message = message
        regarding = ObjectReference(object)
        uid = object.uid
        revision = object.revision
    }

    /// Events of cluster-wide objects live in `default`.
    package var namespace: String {
        regarding.namespace.isEmpty ? "default" : regarding.namespace
    }
}
