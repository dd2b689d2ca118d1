import Basics
import Keyspace
import Store

/// A `KeyspaceStore` as it is open to somebody, whose rights are looked at before each call.
struct PermittedStore: Store {
    let whole: KeyspaceStore
    let permit: AuthPermit

    private var rights: AuthPermit { whole.keyspace.auth.renewed(permit) }

    func range(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>) {
        if let error = rights.refusal(reading: request.range) { return done(.failure(error)) }
        whole.range(request, done)
    }

    func range(
        _ request: RangeRequest, as encoding: any RangeEncoding,
        on queue: (any WorkQueue)?, _ done: @escaping Completion<RangeAnswer>
    ) {
        if let error = rights.refusal(reading: request.range) { return done(.failure(error)) }
        whole.range(request, as: encoding, on: queue, done)
    }

    func transaction(
        _ request: TransactionRequest, _ done: @escaping Completion<TransactionResponse>
    ) {
        if let error = rights.refusal(of: request) { return done(.failure(error)) }
        whole.transaction(request, done)
    }

    func commit(_ request: CommitRequest, _ done: @escaping Completion<CommitResponse>) {
        if let error = rights.refusalOfRoot { return done(.failure(error)) }
        whole.commit(request, done)
    }

    func compact(to revision: Int64, _ done: @escaping Completion<Int64>) {
        if let error = rights.refusalOfRoot { return done(.failure(error)) }
        whole.compact(to: revision, done)
    }

    func watch(_ request: WatchRequest) -> any WatchStream {
        KeyspaceStore.Watch(whole.keyspace.watch(request, by: permit))
    }

    func leaseGrant(id: Int64, ttlSeconds: Int64, _ done: @escaping Completion<LeaseStatus>) {
        if let error = rights.refusalOfAnybody { return done(.failure(error)) }
        whole.leaseGrant(id: id, ttlSeconds: ttlSeconds, done)
    }

    func leaseRevoke(id: Int64, _ done: @escaping Completion<Int64>) {
        if let error = rights.refusalOfAnybody { return done(.failure(error)) }
        whole.leaseRevoke(id: id, done)
    }

    func leaseKeepAlive(id: Int64, _ done: @escaping Completion<LeaseStatus>) {
        if let error = whole.keyspace.refusal(renewing: id, for: permit) {
            return done(.failure(error))
        }
        whole.leaseKeepAlive(id: id, done)
    }

    func leaseTimeToLive(id: Int64, keys: Bool, _ done: @escaping Completion<LeaseStatus>) {
        if let error = rights.refusalOfAnybody { return done(.failure(error)) }
        whole.leaseTimeToLive(id: id, keys: keys, done)
    }

    func leases(_ done: @escaping Completion<[Int64]>) {
        done(whole.keyspace.leases(for: permit).map { $0.map(\.id) })
    }

    func status(_ done: @escaping Completion<StoreStatus>) { whole.status(done) }

    func changeAlarm(_ change: AlarmChange, _ done: @escaping Completion<Void>) {
        if let error = rights.refusalOfRoot { return done(.failure(error)) }
        whole.changeAlarm(change, done)
    }
}
