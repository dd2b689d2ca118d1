import Basics
import Keyspace
import Replica
import ReplicaCore
import Store

/// `StoreAdmin` over the replica of this process.
struct ReplicaAdmin: StoreAdmin {
    private let replica: Replica
    private let spool: SnapshotSpool

    /// - Parameter folder: for snapshots that are being read.
    init(_ replica: Replica, folder: String) {
        self.replica = replica
        spool = SnapshotSpool(folder: folder)
    }

    func openSnapshot(
        _ form: SnapshotForm,
        _ done: @escaping @Sendable (Result<OpenedSnapshot, StoreError>) -> Void
    ) {
        guard let keyspace = replica.keyspace else { return done(.failure(.noLeader)) }
        let (spool, clusterID) = (spool, replica.clusterID)
        startThread("snapshot-open") { done(spool.open(keyspace, form, clusterID: clusterID)) }
    }

    func readSnapshot(
        _ token: UInt64, offset: UInt64, count: Int
    ) -> Result<Bytes, StoreError> {
        spool.read(token, offset: offset, count: count)
    }

    func closeSnapshot(_ token: UInt64) {
        spool.close(token)
    }

    func hash(
        revision: Int64, _ done: @escaping @Sendable (Result<RevisionHash, StoreError>) -> Void
    ) {
        replica.hash(revision: revision, done)
    }

    func scrub(_ done: @escaping @Sendable (Result<String, StoreError>) -> Void) {
        replica.scrub { result in
            done(
                result.map { report in
                    "\(report.keyspace.entries) entries of \(report.keyspace.bytes) bytes,"
                        + " \(report.keyspace.freePages) free pages,"
                        + " \(report.logSegments) log segments of \(report.logBytes) bytes:"
                        + " no damage"
                })
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
