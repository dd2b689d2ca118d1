/// One reconciler of a host, and what it is to look at.
package struct WorkKey: Sendable, Hashable, Comparable {
    /// Position of the reconciler in its host.
    package var reconciler: Int
    package var reference: ObjectReference

    package init(reconciler: Int, reference: ObjectReference) {
        self.reconciler = reconciler
        self.reference = reference
    }

    package static func < (left: WorkKey, right: WorkKey) -> Bool {
        if left.reconciler != right.reconciler { return left.reconciler < right.reconciler }
        return left.reference < right.reference
    }
}
