package import Basics
import Glibc
package import Keyspace
package import Store

/// A `Store` of one process without a log: commands go straight into a keyspace, which lies in a
/// directory of its own that goes with the object. Alarms are told of and change nothing.
package final class KeyspaceStore: Store {
    /// What a replica knows of itself and its cluster.
    private struct Condition {
        var leaderID: UInt64 = 0xa1
        var isLearner = false
        var raised: [AlarmChange] = []
        var readRefusal: StoreError?
        var quotaBytes: Int64 = 0
    }

    private struct Writer {
        var index: UInt64
        var lessor = Lessor()
    }

    private let directory: TemporaryDirectory
    package let keyspace: Keyspace
    private let writer: Locked<Writer>
    private let condition = Locked(Condition())

    package var newestRevision: Int64? { keyspace.revision }

    /// 0: none is known.
    package var leaderID: UInt64 {
        get { condition.withLock { $0.leaderID } }
        set { condition.withLock { $0.leaderID = newValue } }
    }

    package var isLearner: Bool {
        get { condition.withLock { $0.isLearner } }
        set { condition.withLock { $0.isLearner = newValue } }
    }

    /// What linearizable reads answer, as those of a replica that is cut off do.
    package var readRefusal: StoreError? {
        get { condition.withLock { $0.readRefusal } }
        set { condition.withLock { $0.readRefusal = newValue } }
    }

    /// What its status says; nothing is refused for it.
    package var quotaBytes: Int64 {
        get { condition.withLock { $0.quotaBytes } }
        set { condition.withLock { $0.quotaBytes = newValue } }
    }

    package init() throws {
        directory = TemporaryDirectory()
        // A hundred stores are open at a time, and address space ends with 128 TiB.
        var options = Keyspace.Options()
        options.mapBytes = 1 << 30
        keyspace = try Keyspace.open(directory: directory.path, options: options)
        writer = Locked(Writer(index: keyspace.appliedIndex))
    }

    /// At the end of a test; what was served with the store may refer to it for longer.
    package func close() {
        keyspace.stop()
        directory.remove()
    }

    deinit {
        keyspace.stop()
    }

    package var revision: Int64 { keyspace.revision }

    package func whenRemoved(to revision: Int64, _ done: @escaping Completion<Void>) {
        keyspace.whenRemoved(to: revision, done)
    }

    func apply(_ command: Command) -> CommandResult {
        writer.withLock { writer in
            writer.index += 1
            let entry = AppliedEntry(index: writer.index, term: 2, command: command)
            guard let result = try? keyspace.apply([entry]).first else { return .none }
            if case .lease(.success(let lease)) = result {
                writer.lessor.granted(
                    id: lease.id, ttlSeconds: lease.grantedTTLSeconds, now: .now())
            }
            return result
        }
    }

    /// Revokes what has expired.
    package func expireLeases() {
        for id in writer.withLock({ $0.lessor.expired(now: .now()) }) {
            _ = apply(.leaseRevoke(id: id))
            writer.withLock { $0.lessor.revoked(id: id) }
        }
    }

    package func range(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>) {
        if let error = refusal(of: request) { return done(.failure(error)) }
        done(keyspace.range(request))
    }

    package func range(
        _ request: RangeRequest, as encoding: any RangeEncoding,
        on queue: (any WorkQueue)?, _ done: @escaping Completion<RangeAnswer>
    ) {
        if let error = refusal(of: request) { return done(.failure(error)) }
        done(keyspace.range(request, as: encoding))
    }

    private func refusal(of request: RangeRequest) -> StoreError? {
        request.isSerializable ? nil : readRefusal
    }

    package func transaction(
        _ request: TransactionRequest, _ done: @escaping Completion<TransactionResponse>
    ) {
        guard case .transaction(let result) = apply(.transaction(request)) else {
            return done(.failure(.stopped))
        }
        done(result)
    }

    package func commit(_ request: CommitRequest, _ done: @escaping Completion<CommitResponse>) {
        guard case .commit(let result) = apply(.commit(request)) else {
            return done(.failure(.stopped))
        }
        done(result)
    }

    package func compact(to revision: Int64, _ done: @escaping Completion<Int64>) {
        guard case .revision(let result) = apply(.compact(revision)) else {
            return done(.failure(.stopped))
        }
        done(result)
    }

    package func watch(_ request: WatchRequest) -> any WatchStream {
        Watch(keyspace.watch(request))
    }

    package func leaseGrant(id: Int64, ttlSeconds: Int64, _ done: @escaping Completion<LeaseStatus>)
    {
        guard let granted = Lessor().grantable(ttlSeconds) else {
            return done(.failure(.leaseTTLTooLarge))
        }
        let id = id == 0 ? Int64.random(in: 1...Int64.max) : id
        guard case .lease(let result) = apply(.leaseGrant(id: id, ttlSeconds: granted)) else {
            return done(.failure(.stopped))
        }
        done(result)
    }

    package func leaseRevoke(id: Int64, _ done: @escaping Completion<Int64>) {
        guard case .revision(let result) = apply(.leaseRevoke(id: id)) else {
            return done(.failure(.stopped))
        }
        writer.withLock { $0.lessor.revoked(id: id) }
        done(result)
    }

    package func leaseKeepAlive(id: Int64, _ done: @escaping Completion<LeaseStatus>) {
        // Nobody tells this lessor's followers of less time: it has none.
        guard
            case .done(let ttl) = writer.withLock({ $0.lessor.keepAlive(id: id, now: .now()) })
        else { return done(.failure(.leaseNotFound)) }
        done(.success(LeaseStatus(id: id, grantedTTLSeconds: ttl, remainingTTLSeconds: ttl)))
    }

    package func leaseTimeToLive(id: Int64, keys: Bool, _ done: @escaping Completion<LeaseStatus>) {
        let remaining = writer.withLock { $0.lessor.remainingSeconds(id: id, now: .now()) }
        done(
            keyspace.lease(id, keys: keys).map {
                var lease = $0
                lease.remainingTTLSeconds = remaining ?? lease.remainingTTLSeconds
                return lease
            })
    }

    package func leases(_ done: @escaping Completion<[Int64]>) {
        done(keyspace.leases().map { $0.map(\.id) })
    }

    package func status(_ done: @escaping Completion<StoreStatus>) {
        var status = StoreStatus()
        status.clusterID = 0xc1
        status.memberID = 0xa1
        let condition = self.condition.withLock { $0 }
        status.leaderID = condition.leaderID
        status.isLearner = condition.isLearner
        status.raised = condition.raised
        status.quotaBytes = condition.quotaBytes
        status.term = 2
        status.commitIndex = keyspace.appliedIndex
        status.appliedIndex = keyspace.appliedIndex
        status.revision = keyspace.revision
        status.compactRevision = keyspace.compactRevision
        let usage = keyspace.fileUsage()
        status.fileBytes = usage.bytes
        status.fileBytesInUse = usage.bytesInUse
        status.members = [
            Member(
                id: 0xa1, name: "replica-1", peerURLs: ["https://127.0.0.1:2380"],
                clientURLs: ["https://127.0.0.1:2379"], isLearner: false)
        ]
        done(.success(status))
    }

    package func changeAlarm(_ change: AlarmChange, _ done: @escaping Completion<Void>) {
        condition.withLock { condition in
            condition.raised.removeAll {
                $0.memberID == change.memberID && $0.kind == change.kind
            }
            if change.isRaised { condition.raised.append(change) }
        }
        done(.success(()))
    }

    final class Watch: WatchStream {
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
