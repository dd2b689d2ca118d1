package import Basics
package import Keyspace

/// What everything above floor 4 knows of the store.
///
/// Calls return at once and answer exactly once through `done`, on a thread of the store's
/// choosing; `done` must not block. An error of code `unavailable` or `timeout` after a write
/// leaves open whether the write took effect; nothing is retried behind the caller's back.
package protocol Store: Sendable {
    typealias Completion<Value> = @Sendable (Result<Value, StoreError>) -> Void

    func range(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>)
    /// As `range`, but encoded, and a large answer comes in pieces.
    ///
    /// - Parameter queue: the caller's own thread: a read of one key may be answered there, even
    ///   before this returns.
    func range(
        _ request: RangeRequest, as encoding: any RangeEncoding,
        on queue: (any WorkQueue)?, _ done: @escaping Completion<RangeAnswer>)
    func transaction(
        _ request: TransactionRequest, _ done: @escaping Completion<TransactionResponse>)
    func commit(_ request: CommitRequest, _ done: @escaping Completion<CommitResponse>)
    /// Whether a commit of several objects takes effect as a whole. Where it does not, a guard that
    /// fails late, or an error, may leave the first objects changed and the others not.
    var commitsWhole: Bool { get }
    /// Forgets what was overwritten or deleted up to `revision`; answers the store's revision.
    func compact(to revision: Int64, _ done: @escaping Completion<Int64>)
    /// Answers once what the compaction to `revision` forgot takes no room here any more.
    func whenRemoved(to revision: Int64, _ done: @escaping Completion<Void>)

    /// Makes a watcher; errors come from its first `next`.
    func watch(_ request: WatchRequest) -> any WatchStream

    /// `id` 0 lets the store choose. Answers the id and the TTL granted.
    func leaseGrant(id: Int64, ttlSeconds: Int64, _ done: @escaping Completion<LeaseStatus>)
    /// Deletes the lease and its keys; answers the store's revision.
    func leaseRevoke(id: Int64, _ done: @escaping Completion<Int64>)
    /// Starts the TTL anew; a lease that is gone answers `StoreError.leaseNotFound`.
    func leaseKeepAlive(id: Int64, _ done: @escaping Completion<LeaseStatus>)
    func leaseTimeToLive(id: Int64, keys: Bool, _ done: @escaping Completion<LeaseStatus>)
    func leases(_ done: @escaping Completion<[Int64]>)

    func status(_ done: @escaping Completion<StoreStatus>)
    /// The newest revision here, without asking anybody; nil where only an answer tells.
    var newestRevision: Int64? { get }
    /// Raises or clears an alarm; answers once that is so here.
    func changeAlarm(_ change: AlarmChange, _ done: @escaping Completion<Void>)
}

extension Store {
    package var commitsWhole: Bool { true }

    package var newestRevision: Int64? { nil }

    package func whenRemoved(to revision: Int64, _ done: @escaping Completion<Void>) {
        done(.success(()))
    }

    package func range(
        _ request: RangeRequest, as encoding: any RangeEncoding,
        on queue: (any WorkQueue)?, _ done: @escaping Completion<RangeAnswer>
    ) {
        range(request) { result in
            done(
                result.map { response in
                    let bytes = encoding.encode(response.keyValues)
                    let summary = RangeSummary(
                        revision: response.revision, more: response.more, count: response.count,
                        bytes: bytes.count)
                    return .whole(summary, bytes)
                })
        }
    }

    package func changeAlarm(_ change: AlarmChange, _ done: @escaping Completion<Void>) {
        done(.failure(.permissionDenied))
    }
}

/// A watcher that is pulled: it holds no events for a slow consumer, only a position.
package protocol WatchStream: AnyObject, Sendable {
    /// Answers with the next events, waiting for the first one. At most about `bytesMax` bytes
    /// of keys and values, at least one revision. One call at a time. After an error the stream
    /// is over; `compacted` carries the revision up to which history is gone.
    func next(bytesMax: Int, _ done: @escaping @Sendable (Result<WatchBatch, StoreError>) -> Void)
    /// Makes the pending or next `next` answer, without events if there are none, with the
    /// revision up to which the watcher is complete.
    func requestProgress()
    /// Ends the stream; a pending `next` answers `cancelled`.
    func cancel()
}

/// One replica as the others know it.
package struct Member: Sendable, Hashable {
    package var id: UInt64
    package var name: String
    package var peerURLs: [String]
    package var clientURLs: [String]
    package var isLearner: Bool

    package init(
        id: UInt64, name: String, peerURLs: [String], clientURLs: [String], isLearner: Bool
    ) {
        self.id = id
        self.name = name
        self.peerURLs = peerURLs
        self.clientURLs = clientURLs
        self.isLearner = isLearner
    }
}

/// What `etcdctl endpoint status` and response headers show of the replica that answers.
package struct StoreStatus: Sendable, Hashable {
    package var clusterID: UInt64 = 0
    package var memberID: UInt64 = 0
    /// 0 when there is no leader.
    package var leaderID: UInt64 = 0
    package var term: UInt64 = 0
    /// Last committed and last applied entry of the log.
    package var commitIndex: UInt64 = 0
    package var appliedIndex: UInt64 = 0
    package var revision: Int64 = 0
    package var compactRevision: Int64 = 0
    package var fileBytes: Int64 = 0
    package var fileBytesInUse: Int64 = 0
    /// How many bytes in use raise the space alarm; 0: as many as there is room for.
    package var quotaBytes: Int64 = 0
    package var isLearner = false
    package var members: [Member] = []
    package var alarms: [String] = []
    /// The alarms that are on, of all members.
    package var raised: [AlarmChange] = []
    /// The state of this replica is not the cluster's: it waits for the leader's.
    package var isDivergent = false

    package init() {}
}

extension Store {
    package func range(_ request: RangeRequest) async throws(StoreError) -> RangeResponse {
        try await answer { self.range(request, $0) }
    }
    package func transaction(
        _ request: TransactionRequest
    ) async throws(StoreError) -> TransactionResponse {
        try await answer { self.transaction(request, $0) }
    }
    package func commit(_ request: CommitRequest) async throws(StoreError) -> CommitResponse {
        try await answer { self.commit(request, $0) }
    }
    package func compact(to revision: Int64) async throws(StoreError) -> Int64 {
        try await answer { self.compact(to: revision, $0) }
    }
    package func leaseGrant(id: Int64, ttlSeconds: Int64) async throws(StoreError) -> LeaseStatus {
        try await answer { self.leaseGrant(id: id, ttlSeconds: ttlSeconds, $0) }
    }
    package func leaseRevoke(id: Int64) async throws(StoreError) -> Int64 {
        try await answer { self.leaseRevoke(id: id, $0) }
    }
    package func leaseKeepAlive(id: Int64) async throws(StoreError) -> LeaseStatus {
        try await answer { self.leaseKeepAlive(id: id, $0) }
    }
    package func leaseTimeToLive(id: Int64, keys: Bool) async throws(StoreError) -> LeaseStatus {
        try await answer { self.leaseTimeToLive(id: id, keys: keys, $0) }
    }
    package func leases() async throws(StoreError) -> [Int64] {
        try await answer { self.leases($0) }
    }
    package func status() async throws(StoreError) -> StoreStatus {
        try await answer { self.status($0) }
    }
}

extension WatchStream {
    package func next(bytesMax: Int = 1 << 20) async throws(StoreError) -> WatchBatch {
        try await answer { self.next(bytesMax: bytesMax, $0) }
    }
}

/// Bridges a completion to `await`; used from floor 6 up, where a hop costs less than the work.
func answer<Value: Sendable>(
    _ start: (@escaping @Sendable (Result<Value, StoreError>) -> Void) -> Void
) async throws(StoreError) -> Value {
    let result = await withCheckedContinuation { continuation in
        start { continuation.resume(returning: $0) }
    }
    return try result.get()
}
