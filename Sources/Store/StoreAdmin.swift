package import Basics
package import Keyspace

/// What only the store's root may ask of a replica, beside the etcd API.
package protocol StoreAdmin: Sendable {
    /// Opens a snapshot of the applied state. Frames are pulled, on one thread at a time.
    func openSnapshot() -> Result<any SnapshotFrames, StoreError>

    /// Rebuilds the member with this name under a new member id: the old id is removed, the new
    /// one joins as a learner, gets a snapshot and is promoted. Answers the new id once the
    /// member votes.
    func replaceMember(
        named name: String, _ done: @escaping @Sendable (Result<UInt64, StoreError>) -> Void)
}

/// The frames of one snapshot in order; their concatenation is a snapshot file.
package protocol SnapshotFrames: AnyObject, Sendable {
    /// The next frame; nil after the last.
    func next() throws(StoreError) -> Bytes?
}
