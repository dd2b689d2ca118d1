package import Basics
package import Keyspace
package import ReplicaCore

/// What only the store's root may ask of a replica, beside the etcd API.
package protocol StoreAdmin: Sendable {
    /// Makes a snapshot file of the applied state, and keeps it for a while to be read in pieces:
    /// whoever loses the connection goes on where it ended.
    func openSnapshot(
        _ form: SnapshotForm,
        _ done: @escaping @Sendable (Result<OpenedSnapshot, StoreError>) -> Void)

    /// Up to `count` bytes from `offset` on; none at the end. `notFound` when the snapshot is not
    /// kept any more.
    func readSnapshot(
        _ token: UInt64, offset: UInt64, count: Int
    ) -> Result<Bytes, StoreError>

    /// The snapshot is not wanted any more.
    func closeSnapshot(_ token: UInt64)

    /// Changes the members, through the leader. Answers the id of the member that was asked for.
    func changeMembers(
        _ request: MemberRequest,
        _ done: @escaping @Sendable (Result<UInt64, StoreError>) -> Void)

    /// Hands leadership to a voter; member 0 stands for the fittest. Answers the new leader.
    func transferLeadership(
        to member: UInt64, _ done: @escaping @Sendable (Result<UInt64, StoreError>) -> Void)

    /// Hashes all keys as they stand at a revision, 0 for the newest.
    func hash(
        revision: Int64, _ done: @escaping @Sendable (Result<RevisionHash, StoreError>) -> Void)

    /// Reads everything that the replica has on disk, and checks it; answers what was read.
    func scrub(_ done: @escaping @Sendable (Result<String, StoreError>) -> Void)
}

/// What a snapshot is written as.
package enum SnapshotForm: Sendable {
    /// Martlet's own: compressed and checksummed.
    case martlet
    /// The database file of etcd 3.x.
    case etcdDatabase
}

/// A snapshot file that a replica keeps for a reader.
package struct OpenedSnapshot: Sendable {
    package var token: UInt64
    package var bytes: UInt64
    package var revision: Int64

    package init(token: UInt64, bytes: UInt64, revision: Int64) {
        self.token = token
        self.bytes = bytes
        self.revision = revision
    }
}
