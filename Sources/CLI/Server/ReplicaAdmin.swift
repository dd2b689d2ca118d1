import Basics
import Keyspace
import Replica
import ReplicaCore
import Store

/// `StoreAdmin` over the replica of this process.
struct ReplicaAdmin: StoreAdmin {
    private let replica: Replica

    init(_ replica: Replica) {
        self.replica = replica
    }

    func openSnapshot() -> Result<any SnapshotFrames, StoreError> {
        guard let keyspace = replica.keyspace else { return .failure(.noLeader) }
        do {
            return .success(
                KeyspaceFrames(try keyspace.snapshot(clusterID: replica.clusterID)))
        } catch {
            return .failure(StoreError(.corrupt, "cannot make a snapshot: \(error)"))
        }
    }

    func changeMembers(
        _ request: MemberRequest, _ done: @escaping @Sendable (Result<UInt64, StoreError>) -> Void
    ) {
        replica.changeMembers(request, done)
    }

    func transferLeadership(
        to member: UInt64, _ done: @escaping @Sendable (Result<UInt64, StoreError>) -> Void
    ) {
        replica.transferLeadership(to: member, done)
    }
}

/// A keyspace's snapshot as frames; the receiver pulls them one at a time.
private final class KeyspaceFrames: SnapshotFrames, @unchecked Sendable {
    // Sendable because callers pull from one thread at a time, as the protocol demands.
    private let stream: SnapshotStream

    init(_ stream: SnapshotStream) {
        self.stream = stream
    }

    func next() throws(StoreError) -> Bytes? {
        do {
            return try stream.next()
        } catch {
            throw StoreError(.corrupt, "cannot read the snapshot: \(error)")
        }
    }
}
