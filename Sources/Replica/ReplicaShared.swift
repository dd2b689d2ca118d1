import Basics
import Keyspace

/// What a replica's threads and its callers share.
final class ReplicaShared: Sendable {
    let inbox = Mailbox<ReplicaInput>(limit: 100_000)
    let status = Locked(ReplicaStatus())
    let keyspace = Locked<Keyspace?>(nil)
    private let stopping = Locked(false)

    /// False if somebody stops it already.
    func beginStop() -> Bool {
        stopping.withLock { isStopping in
            defer { isStopping = true }
            return !isStopping
        }
    }

    var isStopping: Bool { stopping.withLock { $0 } }
}
