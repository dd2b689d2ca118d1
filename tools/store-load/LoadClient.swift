import Basics
import Keyspace
import Simulator
import Store
import StoreJudgement

/// One client: one operation after another, on a replica chosen anew each time.
struct LoadClient: Sendable {
    /// A lease that the client uses; some are never kept alive.
    struct Lease: Sendable {
        var id: Int64
        var isKept: Bool
    }

    let number: Int
    let stores: [RemoteStore]
    let watchers: [Watcher]
    let journal: Journal
    let keys: Int
    var random: SeededRandom
    var leases: [Lease] = []
    /// The newest revision that the client was told of.
    var seen: Int64 = 1
    var count = 0

    init(
        number: Int, stores: [RemoteStore], watchers: [Watcher], journal: Journal, keys: Int,
        random: SeededRandom
    ) {
        self.number = number
        self.stores = stores
        self.watchers = watchers
        self.journal = journal
        self.keys = keys
        self.random = random
    }

    mutating func run(until end: MonotonicTime) async {
        while MonotonicTime.now() < end {
            let store = stores[random.below(stores.count)]
            switch random.below(400) {
            case 0: await compact(store)
            case 1..<3: await changeLeases(store)
            case 3..<23: keepAlive(store)
            case 23..<27: await askTimeToLive(store)
            case 27..<29: await watch(store)
            case 29..<45: await read(store, at: earlier(by: 200))
            case 45..<180: await read(store, at: 0)
            default: await write(store)
            }
            try? await Task.sleep(for: .milliseconds(2 + random.below(6)))
        }
    }

    /// Makes a call and keeps what came of it.
    @discardableResult
    mutating func ask(
        _ name: String, _ call: LoadOperation.Call,
        _ answer: () async throws(StoreError) -> LoadOperation.Answer
    ) async -> LoadOperation.Answer {
        let called = journal.moment()
        var result = LoadOperation.Answer.unknown
        do throws(StoreError) {
            result = try await answer()
        } catch {
            if let refusal = Self.refusal(error) { result = refusal }
        }
        var returned = LoadOperation.Moment.never
        if case .unknown = result {} else { returned = journal.moment() }
        let operation = LoadOperation(
            "client \(number) \(name)", call, result, called: called, returned: returned)
        journal.add(operation)
        seen = max(seen, operation.revision ?? 0)
        return result
    }

    /// Errors that say that a call had no effect and will have none. After any other it may have
    /// happened, or happen yet.
    static func refusal(_ error: StoreError) -> LoadOperation.Answer? {
        switch error.code {
        case .compacted, .futureRevision, .notFound: .refused(error)
        default: nil
        }
    }

    /// A revision that the client has seen, perhaps compacted since.
    private mutating func earlier(by count: Int) -> Int64 {
        max(1, seen - Int64(random.below(count)))
    }

    private mutating func key() -> Bytes { Bytes("k\(random.below(keys))".utf8) }

    private mutating func read(_ store: RemoteStore, at revision: Int64) async {
        let range: KeyRange =
            random.below(4) == 0 ? .prefix(Bytes("k".utf8)) : .key(key())
        let request = RangeRequest(range, revision: revision)
        let name = revision == 0 ? "reads" : "reads revision \(revision)"
        await ask(name, .read(request)) { () async throws(StoreError) -> LoadOperation.Answer in
            let response = try await store.range(request)
            return .digest(ResultDigest.of(response), revision: response.revision)
        }
    }

    /// At a revision that this client has seen and no watcher of everything still needs.
    private mutating func compact(_ store: RemoteStore) async {
        let needed = watchers.map(\.next).min() ?? 1
        let target = min(seen, needed - 1) - Int64(random.below(100))
        guard target > 0 else { return }
        journal.compacting(to: target)
        await ask("compacts \(target)", .compact(target)) {
            () async throws(StoreError) -> LoadOperation.Answer in
            .revision(try await store.compact(to: target))
        }
    }

    /// Takes one batch from an older revision on.
    private mutating func watch(_ store: RemoteStore) async {
        let start = earlier(by: 300)
        let journal = journal
        let stream = store.watch(WatchRequest(.all, startRevision: start, wantsPrevious: true))
        let patience = Task {
            try? await Task.sleep(for: .seconds(1))
            stream.cancel()
        }
        await ask("watches from \(start)", .watch(from: start)) {
            () async throws(StoreError) -> LoadOperation.Answer in
            .watched(journal.sighting(try await stream.next(), isFirst: true))
        }
        patience.cancel()
        stream.cancel()
    }

    private mutating func write(_ store: RemoteStore) async {
        count += 1
        let mark = Bytes("\(number).\(count)".utf8)
        let lease = leases.isEmpty ? nil : leases[random.below(leases.count)].id
        let request = transaction(mark, lease: lease)
        let name = "writes \(String(decoding: mark, as: UTF8.self))"
        let answer = await ask(name, .write(request, mark: mark)) {
            () async throws(StoreError) -> LoadOperation.Answer in
            let response = try await store.transaction(request)
            let digest = ResultDigest.of(.transaction(.success(response)))
            return .digest(digest, revision: response.revision)
        }
        if case .refused = answer { leases.removeAll { $0.id == lease } }
    }
}
