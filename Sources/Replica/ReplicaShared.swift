import Basics
import Keyspace
import ReplicaCore
import Synchronization

/// What a replica's threads and its callers share.
final class ReplicaShared: Sendable {
    let inbox = Mailbox<ReplicaInput>(limit: 100_000)
    let status = Locked(ReplicaStatus())
    let keyspace = Locked<Keyspace?>(nil)
    private let stopping = Locked(false)
    private let isSmall = Atomic(true)
    /// When the size of the keyspace file was looked at; the replica's thread only.
    private let fileNoted = Atomic<UInt64>(0)

    /// False if somebody stops it already.
    func beginStop() -> Bool {
        stopping.withLock { isStopping in
            defer { isStopping = true }
            return !isStopping
        }
    }

    /// Lets somebody look at the state as it is.
    func read(_ done: (Result<Keyspace, StoreError>) -> Void) {
        if let keyspace = keyspace.withLock({ $0 }) {
            done(.success(keyspace))
        } else {
            done(.failure(isStopping ? .stopped : .noLeader))
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

    /// Whether reads of one key need no thread of their own.
    var servesInPlace: Bool { isSmall.load(ordering: .relaxed) }

    /// Looks at the size of the keyspace file, once a second at most.
    func noteFile(inPlaceBytesMax: Int64) {
        let now = MonotonicTime.now()
        let last = MonotonicTime(nanoseconds: fileNoted.load(ordering: .relaxed))
        guard now.milliseconds(since: last) >= 1000 else { return }
        fileNoted.store(now.nanoseconds, ordering: .relaxed)
        guard let keyspace = keyspace.withLock({ $0 }) else { return }
        isSmall.store(keyspace.fileUsage().bytes <= inPlaceBytesMax, ordering: .relaxed)
    }

    var isStopping: Bool { stopping.withLock { $0 } }
}
