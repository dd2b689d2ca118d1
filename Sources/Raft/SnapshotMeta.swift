/// Which state a snapshot holds: everything up to and including entry `index`.
package struct SnapshotMeta: Sendable, Hashable {
    package var index: UInt64
    package var term: UInt64
    /// The members after entry `index`.
    package var membership: Membership

    package init(index: UInt64, term: UInt64, membership: Membership) {
        self.index = index
        self.term = term
        self.membership = membership
    }
}
