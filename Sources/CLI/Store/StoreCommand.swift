import ArgumentParser
import Basics
import Glibc
import Keyspace
import Store

/// `martlet store`: the store's client, and its maintenance.
struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Read, write and look after the store.",
        subcommands: [
            StoreGet.self, StorePut.self, StoreDelete.self, StoreWatch.self, StoreCompact.self,
            StoreStatusCommand.self, StoreMember.self, StoreTransferLeader.self, StoreSnapshot.self,
            StoreRecover.self, StoreImport.self, StoreExport.self,
            StoreScrub.self, StoreAlarm.self,
        ])
}

/// Bytes and a newline on standard output, as they are.
func printBytes(_ bytes: Bytes) {
    let line = bytes + [0x0a]
    _ = unsafe line.withUnsafeBytes { unsafe write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}

struct StoreGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Print keys and their values.")

    @OptionGroup var connection: StoreConnectionOptions
    @Argument(help: "Key, or prefix with --prefix.") var key: String
    @Flag(help: "Every key that begins with KEY.") var prefix = false
    @Flag(help: "Print keys only.") var keysOnly = false
    @Flag(help: "Print values only.") var printValueOnly = false
    @Option(help: "Revision to read at; 0 is the newest.") var rev: Int64 = 0
    @Option(help: "Keys at most; 0 for all.") var limit: Int64 = 0
    @Flag(help: "Read the replica's own state, perhaps stale.") var serializable = false

    func run() async throws {
        try await reportingErrors {
            let store = try await StoreConnection(connection).store
            var request = RangeRequest(keyRange(key, prefix: prefix), limit: limit, revision: rev)
            request.keysOnly = keysOnly
            request.isSerializable = serializable
            for found in try await store.range(request).keyValues {
                if !printValueOnly { printBytes(found.key) }
                if !keysOnly { printBytes(found.value) }
            }
        }
    }
}

func keyRange(_ key: String, prefix: Bool) -> KeyRange {
    prefix ? .prefix(Bytes(key.utf8)) : .key(Bytes(key.utf8))
}

struct StorePut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Write a key.",
        discussion: "With --stdin, writes each line `KEY VALUE` and answers each with a line.")

    @OptionGroup var connection: StoreConnectionOptions
    @Argument var key: String?
    @Argument var value: String?
    @Option(help: "Lease that the key hangs on, in hexadecimal.") var lease: String?
    @Flag(help: "Read lines `KEY VALUE` from standard input.") var stdin = false

    func validate() throws {
        guard stdin != (key != nil && value != nil) else {
            throw ValidationError("give KEY and VALUE, or --stdin")
        }
        guard lease == nil || lease.flatMap({ Int64($0, radix: 16) }) != nil else {
            throw ValidationError("--lease is a hexadecimal number")
        }
    }

    func run() async throws {
        try await reportingErrors {
            let store = try await StoreConnection(connection).store
            if let key, let value {
                try await put(store, Bytes(key.utf8), Bytes(value.utf8))
                print("OK")
                return
            }
            while let line = readLine() {
                let parts = line.split(separator: " ", maxSplits: 1)
                guard parts.count == 2 else {
                    say("error: a line is KEY VALUE")
                    continue
                }
                do {
                    try await put(store, Bytes(parts[0].utf8), Bytes(parts[1].utf8))
                    say("OK")
                } catch let error as StoreError {
                    say("error: \(error.message)")
                }
            }
        }
    }

    private func put(_ store: RemoteStore, _ key: Bytes, _ value: Bytes) async throws {
        let id = lease.flatMap { Int64($0, radix: 16) } ?? 0
        let operation = Operation.put(PutRequest(key: key, value: value, lease: id))
        _ = try await store.transaction(TransactionRequest(success: [operation]))
    }
}

struct StoreDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "del", abstract: "Delete keys; prints how many there were.")

    @OptionGroup var connection: StoreConnectionOptions
    @Argument var key: String
    @Flag(help: "Every key that begins with KEY.") var prefix = false

    func run() async throws {
        try await reportingErrors {
            let store = try await StoreConnection(connection).store
            let request = DeleteRangeRequest(keyRange(key, prefix: prefix))
            let answer = try await store.transaction(
                TransactionRequest(success: [.deleteRange(request)]))
            guard case .deleteRange(let deleted) = answer.responses.first else {
                throw CommandError("the store gave no answer to the delete")
            }
            print(deleted.deleted)
        }
    }
}

struct StoreWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Print changes as they happen.")

    @OptionGroup var connection: StoreConnectionOptions
    @Argument var key: String
    @Flag(help: "Every key that begins with KEY.") var prefix = false
    @Option(help: "First revision to print; 0 for what comes after now.") var rev: Int64 = 0

    func run() async throws {
        try await reportingErrors {
            let store = try await StoreConnection(connection).store
            let watch = store.watch(
                WatchRequest(keyRange(key, prefix: prefix), startRevision: rev))
            while true {
                for event in try await watch.next().events {
                    say(event.kind == .put ? "PUT" : "DELETE")
                    printBytes(event.keyValue.key)
                    if event.kind == .put { printBytes(event.keyValue.value) }
                }
            }
        }
    }
}

struct StoreCompact: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact", abstract: "Forget what was overwritten up to a revision.")

    @OptionGroup var connection: StoreConnectionOptions
    @Argument var revision: Int64

    func run() async throws {
        try await reportingErrors {
            _ = try await StoreConnection(connection).store.compact(to: revision)
            print("compacted revision \(revision)")
        }
    }
}
