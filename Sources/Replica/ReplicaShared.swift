import Basics
import Keyspace
import ReplicaCore

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

    /// Nobody reads the inbox any more: answers whoever still waits in it.
    func close(_ error: StoreError) {
        stopping.withLock { $0 = true }
        for input in inbox.close() {
            switch input {
            case .write(let write): write.done(.failure(error))
            case .read(let read): read.done(.failure(error))
            case .question(let question): question.done(.failure(error))
            default: break
            }
        }
    }

    var isStopping: Bool { stopping.withLock { $0 } }
}
