import Basics
import Keyspace
import Store

/// A store of one process without consensus: commands go straight into a keyspace on disk.
final class KeyspaceStore: Store {
    let keyspace: Keyspace
    private let applied = Locked(UInt64(0))
    private let nextLease = Locked(Int64(1000))

    init(directory: String) throws {
        keyspace = try Keyspace.open(directory: directory)
        applied.withLock { $0 = keyspace.appliedIndex }
    }

    var revision: Int64 { keyspace.revision }

    private func apply(_ command: Command) -> CommandResult {
        applied.withLock { index in
            index += 1
            do {
                let entry = AppliedEntry(index: index, term: 1, command: command)
                return try keyspace.apply([entry]).first ?? .none
            } catch {
                return .none
            }
        }
    }

    func range(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>) {
        done(keyspace.range(request))
    }

    func transaction(
        _ request: TransactionRequest, _ done: @escaping Completion<TransactionResponse>
    ) {
        guard case .transaction(let result) = apply(.transaction(request)) else {
            return done(.failure(.stopped))
        }
        done(result)
    }

    func commit(_ request: CommitRequest, _ done: @escaping Completion<CommitResponse>) {
        guard case .commit(let result) = apply(.commit(request)) else {
            return done(.failure(.stopped))
        }
        done(result)
    }

    func compact(to revision: Int64, _ done: @escaping Completion<Int64>) {
        guard case .revision(let result) = apply(.compact(revision)) else {
            return done(.failure(.stopped))
        }
        done(result)
    }

    func watch(_ request: WatchRequest) -> any WatchStream {
        KeyspaceStream(watch: keyspace.watch(request))
    }

    func leaseGrant(id: Int64, ttlSeconds: Int64, _ done: @escaping Completion<LeaseStatus>) {
        let fresh = nextLease.withLock { next in
            next += 1
            return next
        }
        let command = Command.leaseGrant(id: id == 0 ? fresh : id, ttlSeconds: ttlSeconds)
        guard case .lease(let result) = apply(command) else { return done(.failure(.stopped)) }
        done(result)
    }

    func leaseRevoke(id: Int64, _ done: @escaping Completion<Int64>) {
        guard case .revision(let result) = apply(.leaseRevoke(id: id)) else {
            return done(.failure(.stopped))
        }
        done(result)
    }

    func leaseKeepAlive(id: Int64, _ done: @escaping Completion<LeaseStatus>) {
        done(keyspace.lease(id, keys: false))
    }

    func leaseTimeToLive(id: Int64, keys: Bool, _ done: @escaping Completion<LeaseStatus>) {
        done(keyspace.lease(id, keys: keys))
    }

    func leases(_ done: @escaping Completion<[Int64]>) {
        done(keyspace.leases().map { $0.map(\.id) })
    }

    func status(_ done: @escaping Completion<StoreStatus>) {
        var status = StoreStatus()
        status.leaderID = 1
        status.memberID = 1
        status.revision = keyspace.revision
        status.compactRevision = keyspace.compactRevision
        done(.success(status))
    }
}

private final class KeyspaceStream: WatchStream {
    private let watch: KeyspaceWatch
    init(watch: KeyspaceWatch) { self.watch = watch }
    func next(
        bytesMax: Int, _ done: @escaping @Sendable (Result<WatchBatch, StoreError>) -> Void
    ) {
        watch.next(bytesMax: bytesMax, done)
    }
    func requestProgress() { watch.requestProgress() }
    func cancel() { watch.cancel() }
}
