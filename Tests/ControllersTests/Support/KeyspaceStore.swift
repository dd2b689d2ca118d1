import Basics
import Glibc
import Keyspace
import Store

/// The real keyspace without a log before it: every command is applied as it comes.
final class KeyspaceStore: Store {
    private let keyspace: Keyspace
    private let directory: String
    private let index = Locked<UInt64>(0)
    private let nextLease = Locked<Int64>(1)

    init() throws {
        var template = Array("/tmp/martlet-controllers-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw StoreError(.unavailable, "mkdtemp: \(errno)")
        }
        directory = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        keyspace = try Keyspace.open(directory: directory)
    }

    deinit {
        keyspace.stop()
        for name in ["data.mdb", "lock.mdb", "data.mdb-lock", "boot"] {
            unsafe unlink(directory + "/" + name)
        }
        unsafe rmdir(directory)
    }

    private func apply(_ command: Command) -> CommandResult {
        index.withLock { index in
            index += 1
            do {
                return try keyspace.apply([AppliedEntry(index: index, term: 1, command: command)])[
                    0]
            } catch {
                fatalError("\(error)")
            }
        }
    }

    func range(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>) {
        done(keyspace.range(request))
    }

    func transaction(
        _ request: TransactionRequest, _ done: @escaping Completion<TransactionResponse>
    ) {
        guard case .transaction(let result) = apply(.transaction(request)) else { return }
        done(result)
    }

    func commit(_ request: CommitRequest, _ done: @escaping Completion<CommitResponse>) {
        guard case .commit(let result) = apply(.commit(request)) else { return }
        done(result)
    }

    func compact(to revision: Int64, _ done: @escaping Completion<Int64>) {
        guard case .revision(let result) = apply(.compact(revision)) else { return }
        done(result)
    }

    func watch(_ request: WatchRequest) -> any WatchStream {
        Watch(keyspace.watch(request))
    }

    func leaseGrant(id: Int64, ttlSeconds: Int64, _ done: @escaping Completion<LeaseStatus>) {
        let id = nextLease.withLock { next in
            next += 1
            return next
        }
        guard case .lease(let result) = apply(.leaseGrant(id: id, ttlSeconds: ttlSeconds)) else {
            return
        }
        done(result)
    }

    func leaseRevoke(id: Int64, _ done: @escaping Completion<Int64>) {
        guard case .revision(let result) = apply(.leaseRevoke(id: id)) else { return }
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
        done(.success(StoreStatus()))
    }

    private final class Watch: WatchStream {
        private let watch: KeyspaceWatch

        init(_ watch: KeyspaceWatch) {
            self.watch = watch
        }

        func next(
            bytesMax: Int, _ done: @escaping @Sendable (Result<WatchBatch, StoreError>) -> Void
        ) {
            watch.next(bytesMax: bytesMax, done)
        }

        func requestProgress() { watch.requestProgress() }
        func cancel() { watch.cancel() }
    }
}
