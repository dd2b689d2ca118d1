import Basics
import Keyspace
import TestSupport
import Testing

/// A keyspace of its own, driven one command at a time.
final class Fixture {
    let directory = TemporaryDirectory()
    let options: Keyspace.Options
    var keyspace: Keyspace
    var path: String { directory.path + "/keyspace" }

    init(_ adjust: (inout Keyspace.Options) -> Void = { _ in }) throws {
        var options = Keyspace.Options()
        options.mapBytes = 1 << 30
        options.servesHistoryOnCaller = true
        adjust(&options)
        self.options = options
        try directory.makeDirectory("keyspace")
        keyspace = try Keyspace.open(directory: directory.path + "/keyspace", options: options)
    }

    deinit {
        keyspace.stop()
    }

    func reopen() throws {
        keyspace.stop()
        keyspace = try Keyspace.open(directory: path, options: options)
    }

    @discardableResult
    func apply(_ command: Command) throws -> CommandResult {
        let entry = AppliedEntry(index: keyspace.appliedIndex + 1, term: 1, command: command)
        return try keyspace.apply([entry])[0]
    }

    @discardableResult
    func transaction(_ request: TransactionRequest) throws -> TransactionResponse {
        guard case .transaction(let result) = try apply(.transaction(request)) else {
            throw StoreError(.invalid, "another kind of result")
        }
        return try result.get()
    }

    /// Why a transaction is refused.
    func refusal(_ request: TransactionRequest) throws -> StoreError? {
        do {
            try transaction(request)
            return nil
        } catch let error as StoreError {
            return error
        }
    }

    @discardableResult
    func put(_ key: String, _ value: String, lease: Int64 = 0) throws -> Int64 {
        try transaction(TransactionRequest(success: [.put(key, value, lease: lease)])).revision
    }

    @discardableResult
    func delete(_ key: String) throws -> Int64 {
        let request = DeleteRangeRequest(.key(Bytes(key.utf8)))
        return try transaction(TransactionRequest(success: [.deleteRange(request)])).revision
    }

    func commit(_ request: CommitRequest) throws -> CommitResponse {
        guard case .commit(let result) = try apply(.commit(request)) else {
            throw StoreError(.invalid, "another kind of result")
        }
        return try result.get()
    }

    func compact(_ revision: Int64) throws -> Result<Int64, StoreError> {
        guard case .revision(let result) = try apply(.compact(revision)) else {
            throw StoreError(.invalid, "another kind of result")
        }
        return result
    }

    /// `key=value` of a range.
    func text(_ range: KeyRange, at revision: Int64 = 0) throws -> [String] {
        try keyspace.range(RangeRequest(range, revision: revision)).get().keyValues.map {
            "\(string($0.key))=\(string($0.value))"
        }
    }
}

func string(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

extension Operation {
    static func put(_ key: String, _ value: String, lease: Int64 = 0) -> Operation {
        .put(PutRequest(key: Bytes(key.utf8), value: Bytes(value.utf8), lease: lease))
    }
}

extension CommitRequest.Mutation {
    static func put(_ key: String, _ value: String) -> CommitRequest.Mutation {
        .put(key: Bytes(key.utf8), value: Bytes(value.utf8), lease: 0)
    }
}

extension KeyRange {
    static func key(_ key: String) -> KeyRange { .key(Bytes(key.utf8)) }
    static func prefix(_ prefix: String) -> KeyRange { .prefix(Bytes(prefix.utf8)) }
}

/// What a watcher was told, in order.
final class Listener: Sendable {
    let watch: KeyspaceWatch
    private let heard = Locked<[Result<WatchBatch, StoreError>]>([])

    init(_ watch: KeyspaceWatch) { self.watch = watch }

    func pull(bytesMax: Int = 1 << 20) {
        watch.next(bytesMax: bytesMax) { [self] result in heard.withLock { $0.append(result) } }
    }

    var results: [Result<WatchBatch, StoreError>] { heard.withLock { $0 } }

    /// `+key@revision` for puts, `-key@revision` for deletes, `|revision` at a batch's end.
    var text: String {
        results.map { result in
            switch result {
            case .failure(let error): return "!\(error.message)"
            case .success(let batch):
                let events = batch.events.map { event in
                    let sign = event.kind == .put ? "+" : "-"
                    let previous = event.previous.map { "(\(string($0.value)))" } ?? ""
                    return sign + string(event.keyValue.key) + previous
                        + "@\(event.keyValue.modRevision)"
                }
                return (events + ["|\(batch.revision)"]).joined(separator: " ")
            }
        }.joined(separator: " ")
    }
}
