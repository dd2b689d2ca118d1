package import Basics
package import Keyspace
package import ReplicaCore

/// What only the store's root may ask of a replica, beside the etcd API.
package protocol StoreAdmin: Sendable {
    /// Opens a snapshot of the applied state. Frames are pulled, on one thread at a time.
    func openSnapshot() -> Result<any SnapshotFrames, StoreError>

    /// Changes the members, through the leader. Answers the id of the member that was asked for.
    func changeMembers(
        _ request: MemberRequest,
        _ done: @escaping @Sendable (Result<UInt64, StoreError>) -> Void)

    /// Hands leadership to a voter; member 0 stands for the fittest. Answers the new leader.
    func transferLeadership(
        to member: UInt64, _ done: @escaping @Sendable (Result<UInt64, StoreError>) -> Void)
}

/// The frames of one snapshot in order; their concatenation is a snapshot file.
package protocol SnapshotFrames: AnyObject, Sendable {
    /// The next frame; nil after the last.
    func next() throws(StoreError) -> Bytes?
}
