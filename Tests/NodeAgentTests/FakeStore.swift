import Basics
import Keyspace
import Store

/// A store in memory, with as much as the agent uses: ranges, guarded commits, watches, leases.
final class FakeStore: Store {
    struct State {
        var revision: Int64 = 1
        var keys: [Bytes: KeyValue] = [:]
        var history: [Event] = []
        var waiters: [@Sendable () -> Void] = []
        var commits = 0
    }

    let state = Locked(State())

    func range(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>) {
        let response = state.withLock { state in
            let found = state.keys.values.filter { request.range.contains($0.key) }
                .sorted { isOrderedBefore($0.key, $1.key) }
            return RangeResponse(
                revision: state.revision, keyValues: found, more: false, count: Int64(found.count))
        }
        done(.success(response))
    }

    func transaction(
        _ request: TransactionRequest, _ done: @escaping Completion<TransactionResponse>
    ) {
        done(.failure(StoreError(.invalid, "not in the fake store")))
    }

    func commit(_ request: CommitRequest, _ done: @escaping Completion<CommitResponse>) {
        let (response, waiters) = state.withLock { state in
            state.commits += 1
            for (index, condition) in request.guards.enumerated() {
                guard !Self.holds(condition, state) else { continue }
                return (
                    CommitResponse.guardFailed(index: index, revision: state.revision),
                    [] as [@Sendable () -> Void]
                )
            }
            let first = state.revision + 1
            for mutation in request.mutations { Self.apply(mutation, &state) }
            defer { state.waiters = [] }
            return (.committed(first: first, last: state.revision), state.waiters)
        }
        done(.success(response))
        for waiter in waiters { waiter() }
    }

    private static func holds(_ condition: CommitRequest.Guard, _ state: State) -> Bool {
        switch condition {
        case .modRevision(let key, let revision):
            state.keys[key]?.modRevision ?? 0 == revision
        case .createRevision(let key, let revision):
            state.keys[key]?.createRevision ?? 0 == revision
        case .unchanged(let range, let revision):
            !state.history.contains {
                range.contains($0.keyValue.key) && $0.keyValue.modRevision > revision
            }
        }
    }

    private static func apply(_ mutation: CommitRequest.Mutation, _ state: inout State) {
        switch mutation {
        case .put(let key, let value, let lease):
            state.revision += 1
            let before = state.keys[key]
            let keyValue = KeyValue(
                key: key, value: value, createRevision: before?.createRevision ?? state.revision,
                modRevision: state.revision, version: (before?.version ?? 0) + 1, lease: lease)
            state.keys[key] = keyValue
            state.history.append(Event(kind: .put, keyValue: keyValue))
        case .delete(let key):
            guard state.keys.removeValue(forKey: key) != nil else { return }
            state.revision += 1
            let keyValue = KeyValue(
                key: key, value: [], createRevision: 0, modRevision: state.revision, version: 0)
            state.history.append(Event(kind: .delete, keyValue: keyValue))
        }
    }

    func compact(to revision: Int64, _ done: @escaping Completion<Int64>) {
        done(.success(revision))
    }

    func watch(_ request: WatchRequest) -> any WatchStream {
        Watch(store: self, range: request.range, next: request.startRevision)
    }

    func leaseGrant(id: Int64, ttlSeconds: Int64, _ done: @escaping Completion<LeaseStatus>) {
        done(
            .success(
                LeaseStatus(id: 7, grantedTTLSeconds: ttlSeconds, remainingTTLSeconds: ttlSeconds)))
    }
    func leaseRevoke(id: Int64, _ done: @escaping Completion<Int64>) { done(.success(1)) }
    func leaseKeepAlive(id: Int64, _ done: @escaping Completion<LeaseStatus>) {
        done(.failure(.leaseNotFound))
    }
    func leaseTimeToLive(id: Int64, keys: Bool, _ done: @escaping Completion<LeaseStatus>) {
        done(.failure(.leaseNotFound))
    }
    func leases(_ done: @escaping Completion<[Int64]>) { done(.success([])) }
    func status(_ done: @escaping Completion<StoreStatus>) { done(.success(StoreStatus())) }

    private final class Watch: WatchStream {
        private let store: FakeStore
        private let range: KeyRange
        private let position: Locked<(next: Int64, isCancelled: Bool)>

        init(store: FakeStore, range: KeyRange, next: Int64) {
            self.store = store
            self.range = range
            position = Locked((next, false))
        }

        func next(
            bytesMax: Int, _ done: @escaping @Sendable (Result<WatchBatch, StoreError>) -> Void
        ) {
            let (next, isCancelled) = position.withLock { $0 }
            if isCancelled { return done(.failure(StoreError(.cancelled, "cancelled"))) }
            let batch = store.state.withLock { state in
                let events = state.history.filter {
                    range.contains($0.keyValue.key) && $0.keyValue.modRevision >= next
                }
                if events.isEmpty {
                    state.waiters.append { self.next(bytesMax: bytesMax, done) }
                    return nil as WatchBatch?
                }
                return WatchBatch(events: events, revision: state.revision)
            }
            guard let batch else { return }
            position.withLock { $0.next = batch.revision + 1 }
            done(.success(batch))
        }

        func requestProgress() {}

        func cancel() {
            position.withLock { $0.isCancelled = true }
            let waiters = store.state.withLock { state in
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter() }
        }
    }
}
