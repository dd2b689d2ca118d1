import Basics
import Keyspace
import Simulator
import Store

/// One client: one operation after another, on a replica chosen anew each time.
struct LoadClient: Sendable {
    let number: Int
    let stores: [RemoteStore]
    let journal: Journal
    let keys: Int
    var random: SeededRandom
    private var count = 0

    init(number: Int, stores: [RemoteStore], journal: Journal, keys: Int, random: SeededRandom) {
        self.number = number
        self.stores = stores
        self.journal = journal
        self.keys = keys
        self.random = random
    }

    mutating func run(until end: MonotonicTime) async {
        while MonotonicTime.now() < end {
            let store = stores[random.below(stores.count)]
            if random.below(10) < 4 { await read(store) } else { await write(store) }
            try? await Task.sleep(for: .milliseconds(2 + random.below(6)))
        }
    }

    private mutating func key() -> Bytes { Bytes("k\(random.below(keys))".utf8) }

    private mutating func read(_ store: RemoteStore) async {
        let range: KeyRange =
            random.below(4) == 0 ? .prefix(Bytes("k".utf8)) : .key(key())
        let request = RangeRequest(range)
        let called = journal.tick()
        // A read of which nothing was heard says nothing.
        guard let response = try? await store.range(request) else { return }
        let operation = HistoryOperation(
            "client \(number) reads", .range(request), .answer(ResultDigest.of(response)),
            called: called, returned: journal.tick())
        journal.add(
            Journal.Entry(operation: operation, revision: response.revision), now: .now())
    }

    private mutating func write(_ store: RemoteStore) async {
        count += 1
        let value = Bytes("\(number).\(count)".utf8)
        let request = transaction(value)
        let called = journal.tick()
        let name = "client \(number) writes \(String(decoding: value, as: UTF8.self))"
        var outcome = HistoryOperation.Outcome.unknown
        var returned = Int.max
        var revision: Int64?
        do throws(StoreError) {
            let response = try await store.transaction(request)
            outcome = .answer(ResultDigest.of(.transaction(.success(response))))
            returned = journal.tick()
            revision = response.revision
        } catch {
            // It may have happened, or happen yet.
        }
        let operation = HistoryOperation(
            name, .command(.transaction(request)), outcome, called: called, returned: returned)
        journal.add(
            Journal.Entry(operation: operation, value: value, revision: revision), now: .now())
    }

    /// Every transaction writes `value` under a key of its own too, so that its revision can be
    /// found again whatever was answered.
    private mutating func transaction(_ value: Bytes) -> TransactionRequest {
        let mark = Operation.put(PutRequest(key: Bytes("mark/\(number)".utf8), value: value))
        let first = key()
        switch random.below(10) {
        case 0..<5:
            return TransactionRequest(success: [.put(PutRequest(key: first, value: value)), mark])
        case 5:
            return TransactionRequest(
                success: [.deleteRange(DeleteRangeRequest(.key(first), wantsPrevious: true)), mark])
        case 6, 7:
            var second = key()
            if second == first { second += Bytes("'".utf8) }
            return TransactionRequest(success: [
                .put(PutRequest(key: first, value: value, wantsPrevious: true)),
                .put(PutRequest(key: second, value: value)), mark,
            ])
        default:
            let compare = Compare(.key(first), .equal, .version(Int64(random.below(4))))
            return TransactionRequest(
                compares: [compare], success: [.put(PutRequest(key: first, value: value)), mark],
                failure: [.range(RangeRequest(.key(first))), mark])
        }
    }
}
