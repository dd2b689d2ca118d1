import ArgumentParser
import Basics
import Glibc
import Keyspace

/// Measures the keyspace alone, without Raft, log and network. `tools/bench keyspace` runs it and
/// says what the figures are for.
@main
struct KeyspaceBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyspace-bench", abstract: "Measure the keyspace alone.",
        subcommands: [Load.self, Open.self, Rebuild.self, Compaction.self, Leases.self])
}

struct Place: ParsableArguments {
    @Argument(help: "Directory of the keyspace; made if it is absent.") var directory: String

    func open() throws -> Keyspace {
        _ = unsafe mkdir(directory, 0o700)
        return try Keyspace.open(directory: directory)
    }
}

/// Prints `name value unit`, a line each.
func figure(_ name: String, _ value: Double, _ unit: String) {
    let rounded = (value * 1000).rounded() / 1000
    print("\(name)\t\(rounded)\t\(unit)")
}

/// Memory of this process that is neither file nor map.
func privateMegabytes() -> Double {
    guard let file = unsafe fopen("/proc/self/status", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while unsafe fgets(&line, 256, file) != nil {
        let text = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard text.hasPrefix("RssAnon:") else { continue }
        let digits = text.prefix { $0 != "\n" }.filter(\.isNumber)
        return (Double(digits) ?? 0) * 1024 / 1_000_000
    }
    return 0
}

func seconds(since start: MonotonicTime) -> Double {
    Double(MonotonicTime.now().nanoseconds - start.nanoseconds) / 1e9
}

extension Keyspace {
    func apply(commands: [Command]) throws {
        let first = appliedIndex + 1
        _ = try apply(
            commands.enumerated().map { number, command in
                AppliedEntry(index: first + UInt64(number), term: 1, command: command)
            })
    }
}

func key(_ number: Int) -> Bytes {
    let digits = String(number)
    let zeros = String(repeating: "0", count: max(0, 10 - digits.count))
    return Bytes("/registry/pods/namespace-\(number % 100)/pod-\(zeros)\(digits)-of-the-test".utf8)
}

func put(_ number: Int, _ valueBytes: Int, _ round: Int) -> Command {
    let value = Bytes(repeating: UInt8(truncatingIfNeeded: number &+ round), count: valueBytes)
    return .transaction(
        TransactionRequest(success: [.put(PutRequest(key: key(number), value: value))]))
}

struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write keys in several versions.")

    @OptionGroup var place: Place
    @Option var keys = 1_000_000
    @Option var versions = 5
    @Option var valueBytes = 256

    func run() throws {
        let keyspace = try place.open()
        let start = MonotonicTime.now()
        for version in 0..<versions {
            for first in stride(from: 0, to: keys, by: 1000) {
                try keyspace.apply(
                    commands: (first..<min(keys, first + 1000)).map { put($0, valueBytes, version) }
                )
            }
        }
        figure("writes a second", Double(keys * versions) / seconds(since: start), "/s")
        figure("private memory after the load", privateMegabytes(), "MB")
        figure("file", Double(keyspace.fileUsage().bytes) / 1e6, "MB")
        keyspace.stop()
    }
}

struct Open: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Open, read one key, write one.")

    @OptionGroup var place: Place

    func run() throws {
        let start = MonotonicTime.now()
        let keyspace = try place.open()
        figure("open", seconds(since: start), "s")
        let range = KeyRange(start: [], end: .unbounded)
        let first = try keyspace.range(RangeRequest(range, limit: 1)).get()
        try keyspace.apply(commands: [put(0, 256, 9)])
        figure("open, read and write", seconds(since: start), "s")
        figure("keys", Double(first.count), "")
        figure("private memory", privateMegabytes(), "MB")
        keyspace.stop()
    }
}

struct Compaction: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Update the same keys again and again, and compact as kube-apiserver does.")

    @OptionGroup var place: Place
    @Option(help: "Keys that exist.") var keys = 100_000
    @Option(help: "Updates in all.") var updates = 10_000_000
    @Option(help: "Updates between compactions.") var every = 300_000
    @Option var valueBytes = 256

    func run() throws {
        let keyspace = try place.open()
        var random = SeededRandom(seed: 1)
        var worst = 0.0
        var halfway: Int64 = 0
        let start = MonotonicTime.now()
        for first in stride(from: 0, to: updates, by: 1000) {
            try keyspace.apply(
                commands: (0..<1000).map { put(random.below(keys), valueBytes, first + $0) })
            if first % every == 0, first > 0 {
                try keyspace.apply(commands: [.compact(keyspace.revision - Int64(every))])
            }
            // All keys, and what was written since the last compaction but one.
            let retained =
                Double(min(first, keys) + min(first, 2 * every)) * Double(valueBytes + 300)
            let bytes = Double(keyspace.fileUsage().bytes)
            worst = max(worst, (bytes - 256e6) / max(1, retained))
            if first == updates / 2 { halfway = keyspace.fileUsage().bytes }
        }
        let usage = keyspace.fileUsage()
        figure("updates a second", Double(updates) / seconds(since: start), "/s")
        figure("file", Double(usage.bytes) / 1e6, "MB")
        figure("in use", Double(usage.bytesInUse) / 1e6, "MB")
        figure("file halfway", Double(halfway) / 1e6, "MB")
        figure("(file - 256 MB) / retained, at most", worst, "")
        figure("private memory", privateMegabytes(), "MB")
        keyspace.stop()
    }
}

struct Leases: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let many leases with a key each end at once.")

    @OptionGroup var place: Place
    @Option var leases = 100_000

    func run() throws {
        let keyspace = try place.open()
        for first in stride(from: 1, through: leases, by: 500) {
            let ids = first..<min(leases + 1, first + 500)
            try keyspace.apply(
                commands: ids.flatMap { id -> [Command] in
                    [
                        .leaseGrant(id: Int64(id), ttlSeconds: 60),
                        .transaction(
                            TransactionRequest(success: [
                                .put(PutRequest(key: key(id), value: [1], lease: Int64(id)))
                            ])),
                    ]
                })
        }
        let start = MonotonicTime.now()
        for first in stride(from: 1, through: leases, by: 2000) {
            try keyspace.apply(
                commands: (first..<min(leases + 1, first + 2000)).map {
                    .leaseRevoke(id: Int64($0))
                })
        }
        figure("all leases and keys are gone", seconds(since: start), "s")
        keyspace.stop()
    }
}
