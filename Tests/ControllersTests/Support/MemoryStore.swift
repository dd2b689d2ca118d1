import Basics
import Keyspace
import Store

/// A store in memory for tests of what runs on one: commits, watches, leases that end by hand.
final class MemoryStore: Store {
    struct State {
        var engine = TestEngine()
        var watches: [Int: MemoryWatch] = [:]
        var nextWatch = 0
        var leases: [Int64: Int64] = [:]
        var nextLease: Int64 = 1
        /// Answer everything with this error.
        var failure: StoreError?
        var commits = 0
        var keepAlives = 0
        /// Answer writes to keys that another writer changes first, once.
        var beforeCommit: (@Sendable (inout TestEngine, CommitRequest) -> Void)?
    }

    let state = Locked(State())

    func range(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>) {
        done(
            state.withLock { state -> Result<RangeResponse, StoreError> in
                if let failure = state.failure { return .failure(failure) }
                return .success(state.engine.range(request))
            })
    }

    func transaction(
        _ request: TransactionRequest, _ done: @escaping Completion<TransactionResponse>
    ) {
        done(.failure(.emptyKey))
    }

    func commit(_ request: CommitRequest, _ done: @escaping Completion<CommitResponse>) {
        let answer = state.withLock { state -> Result<CommitResponse, StoreError> in
            if let failure = state.failure { return .failure(failure) }
            for mutation in request.mutations {
                if case .put(_, _, let lease) = mutation, lease != 0, state.leases[lease] == nil {
                    return .failure(.leaseNotFound)
                }
            }
            state.commits += 1
            if let hook = state.beforeCommit { hook(&state.engine, request) }
            return .success(state.engine.commit(request))
        }
        notify()
        done(answer)
    }

    func compact(to revision: Int64, _ done: @escaping Completion<Int64>) {
        done(
            .success(
                state.withLock { state in
                    state.engine.compact(to: revision)
                    return state.engine.revision
                }))
    }

    func watch(_ request: WatchRequest) -> any WatchStream {
        state.withLock { state in
            let start =
                request.startRevision > 0 ? request.startRevision : state.engine.revision + 1
            let watch = MemoryWatch(
                store: self, id: state.nextWatch, range: request.range, from: start)
            state.watches[state.nextWatch] = watch
            state.nextWatch += 1
            return watch
        }
    }

    func leaseGrant(id: Int64, ttlSeconds: Int64, _ done: @escaping Completion<LeaseStatus>) {
        done(
            state.withLock { state -> Result<LeaseStatus, StoreError> in
                if let failure = state.failure { return .failure(failure) }
                let id = state.nextLease
                state.nextLease += 1
                state.leases[id] = ttlSeconds
                return .success(
                    LeaseStatus(
                        id: id, grantedTTLSeconds: ttlSeconds, remainingTTLSeconds: ttlSeconds))
            })
    }

    func leaseRevoke(id: Int64, _ done: @escaping Completion<Int64>) {
        let revision = state.withLock { state -> Int64? in
            guard state.leases.removeValue(forKey: id) != nil else { return nil }
            let keys = state.engine.values.values.filter { $0.lease == id }.map(\.key)
            let mutations = keys.sorted(by: isOrderedBefore).map {
                CommitRequest.Mutation.delete(key: $0)
            }
            if !mutations.isEmpty {
                _ = state.engine.commit(CommitRequest(mutations: mutations))
            }
            return state.engine.revision
        }
        notify()
        done(revision.map { .success($0) } ?? .failure(.leaseNotFound))
    }

    func leaseKeepAlive(id: Int64, _ done: @escaping Completion<LeaseStatus>) {
        done(
            state.withLock { state -> Result<LeaseStatus, StoreError> in
                if let failure = state.failure { return .failure(failure) }
                state.keepAlives += 1
                guard let ttl = state.leases[id] else { return .failure(.leaseNotFound) }
                return .success(
                    LeaseStatus(id: id, grantedTTLSeconds: ttl, remainingTTLSeconds: ttl))
            })
    }

    func leaseTimeToLive(id: Int64, keys: Bool, _ done: @escaping Completion<LeaseStatus>) {
        leaseKeepAlive(id: id, done)
    }

    func leases(_ done: @escaping Completion<[Int64]>) {
        done(.success(state.withLock { $0.leases.keys.sorted() }))
    }

    func status(_ done: @escaping Completion<StoreStatus>) {
        done(.success(StoreStatus()))
    }

    // MARK: For tests

    func fail(with error: StoreError?) {
        let watches = state.withLock { state in
            state.failure = error
            guard error != nil else { return [MemoryWatch]() }
            let all = state.watches.keys.sorted().compactMap { state.watches[$0] }
            state.watches = [:]
            return all
        }
        if let error { for watch in watches { watch.end(error) } }
    }

    private func notify() {
        let watches = state.withLock { state in
            state.watches.keys.sorted().compactMap { state.watches[$0] }
        }
        for watch in watches { watch.poll() }
    }

    /// Drops the history that watchers have not read, as a compaction does.
    func compactAndLose() {
        let watches = state.withLock { state in
            state.engine.compact(to: state.engine.revision)
            let all = state.watches.keys.sorted().compactMap { state.watches[$0] }
            state.watches = [:]
            return all
        }
        for watch in watches { watch.end(.compacted(at: 1)) }
    }

    fileprivate func remove(_ id: Int) {
        state.withLock { $0.watches[id] = nil }
    }

    fileprivate func batch(_ range: KeyRange, from: Int64) -> WatchBatch? {
        state.withLock { $0.engine.batch(range, from: from) }
    }
}

/// A position in the store's history.
final class MemoryWatch: WatchStream {
    private struct State {
        var from: Int64
        var waiting: (@Sendable (Result<WatchBatch, StoreError>) -> Void)?
        var wantsProgress = false
        var error: StoreError?
    }

    private let store: MemoryStore
    private let id: Int
    private let range: KeyRange
    private let state: Locked<State>

    init(store: MemoryStore, id: Int, range: KeyRange, from: Int64) {
        self.store = store
        self.id = id
        self.range = range
        state = Locked(State(from: from))
    }

    func next(bytesMax: Int, _ done: @escaping @Sendable (Result<WatchBatch, StoreError>) -> Void) {
        state.withLock { $0.waiting = done }
        poll()
    }

    func requestProgress() {
        state.withLock { $0.wantsProgress = true }
        poll()
    }

    func cancel() {
        end(StoreError(.cancelled, "cancelled"))
        store.remove(id)
    }

    func end(_ error: StoreError) {
        let waiting = state.withLock { state in
            if state.error == nil { state.error = error }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?(.failure(error))
    }

    /// Answers a waiting `next` if there is something to say.
    func poll() {
        let store = store
        let range = range
        let answer = state.withLock {
            state -> (
                @Sendable (Result<WatchBatch, StoreError>) -> Void, Result<WatchBatch, StoreError>
            )? in
            guard let waiting = state.waiting else { return nil }
            if let error = state.error {
                state.waiting = nil
                return (waiting, .failure(error))
            }
            var found = store.batch(range, from: state.from)
            if found?.events.isEmpty != false {
                guard state.wantsProgress else { return nil }
                found = found ?? WatchBatch(events: [], revision: state.from - 1)
            }
            guard let batch = found else { return nil }
            state.wantsProgress = false
            state.from = max(state.from, batch.revision + 1)
            state.waiting = nil
            return (waiting, .success(batch))
        }
        if let (waiting, result) = answer { waiting(result) }
    }
}
