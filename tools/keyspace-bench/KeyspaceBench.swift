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

/// Prints `name value unit`, and with a goal whether it is met; a line each.
func figure(_ name: String, _ value: Double, _ unit: String, goal: Double? = nil) {
    let rounded = (value * 1000).rounded() / 1000
    let verdict = goal.map { value <= $0 ? " (goal met)" : " (GOAL MISSED: \($0))" } ?? ""
    print("\(name)\t\(rounded)\t\(unit)\(verdict)")
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
        figure("private memory after the load", privateMegabytes(), "MB", goal: 150)
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
        // Counting is asked for afterwards: it takes time with the number of keys, as in etcd.
        _ = try keyspace.range(RangeRequest(.key(key(0)))).get()
        try keyspace.apply(commands: [put(0, 256, 9)])
        figure("open, read and write", seconds(since: start), "s", goal: 1)
        var count = RangeRequest(.all)
        count.countOnly = true
        figure("keys", Double(try keyspace.range(count).get().count), "")
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
        let recordBytes = Double(key(0).count + valueBytes)
        let start = MonotonicTime.now()
        for first in stride(from: 0, to: updates, by: 1000) {
            try keyspace.apply(
                commands: (0..<1000).map { put(random.below(keys), valueBytes, first + $0) })
            if first % every == 0, first > 0 {
                try keyspace.apply(commands: [.compact(keyspace.revision - Int64(every))])
            }
            // Keys and values that readers can ask for: what was written since the revision that
            // is compacted, and as of that revision every key's.
            let since = Double(first < 2 * every ? first : every + first % every)
            let before = first < 2 * every ? 0 : Double(keys)
            let retained = (since + before) * recordBytes
            let bytes = Double(keyspace.fileUsage().bytes)
            worst = max(worst, (bytes - 256e6) / max(1, retained))
            if first == updates / 2 { halfway = keyspace.fileUsage().bytes }
        }
        let usage = keyspace.fileUsage()
        figure("updates a second", Double(updates) / seconds(since: start), "/s")
        figure("file", Double(usage.bytes) / 1e6, "MB")
        figure("in use", Double(usage.bytesInUse) / 1e6, "MB")
        figure("file halfway", Double(halfway) / 1e6, "MB")
        figure("file at the end / halfway", Double(usage.bytes) / Double(halfway), "x", goal: 1.05)
        figure("(file - 256 MB) / keys and values retained, at most", worst, "x", goal: 2.5)
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
        figure("all leases and keys are gone", seconds(since: start), "s", goal: 3)
        keyspace.stop()
    }
}
