package import Objects

/// One object before and after; both are never nil at once.
package struct Change: Sendable {
    package var old: Object?
    package var new: Object?

    package init(old: Object?, new: Object?) {
        precondition(old != nil || new != nil, "a change of nothing")
        self.old = old
        self.new = new
    }

    /// The newest state that is known of the object.
    package var latest: Object {
        if let new { return new }
        if let old { return old }
        preconditionFailure("a change of nothing")
    }

    package var isDeletion: Bool { new == nil }
    package var kind: ResourceKind { latest.kind }
    package var reference: ObjectReference { ObjectReference(latest) }
}
