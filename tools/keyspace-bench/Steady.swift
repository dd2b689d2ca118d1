import ArgumentParser
import Basics
import Glibc
import Keyspace

/// The cost of steady points: the same puts without any, and with one after so many bytes.
struct Steady: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put in batches, with and without steady points.")

    @OptionGroup var place: Place
    @Option var puts = 1_000_000
    @Option var keys = 100_000
    @Option(help: "Puts in one commit.") var batch = 100
    @Option var valueBytes = 256
    @Option(help: "rebuild, steadyPoints or syncedBatches.") var way = "rebuild"
    @Option(help: "Megabytes of pages rewritten between steady points.") var every = 64

    func run() throws {
        _ = unsafe mkdir(place.directory, 0o700)
        var options = Keyspace.Options()
        guard let way = Keyspace.Way(rawValue: way) else { throw ValidationError("no such way") }
        options.way = way
        let keyspace = try Keyspace.openRunning(directory: place.directory, options: options)
        var random = SeededRandom(seed: 1)
        var longest = 0.0
        var written = 0
        var points = 0
        let isSaving = Locked(false)
        let start = MonotonicTime.now()
        for first in stride(from: 0, to: puts, by: batch) {
            if first % 300_000 < batch, first > 300_000 {
                try keyspace.apply(commands: [.compact(keyspace.revision - 300_000)])
            }
            let commands = (0..<batch).map { put(random.below(keys), valueBytes, first + $0) }
            let begun = MonotonicTime.now()
            if way == .steadyPoints, keyspace.pagesRewritten * 4096 > written + every << 20,
                !isSaving.withLock({ $0 })
            {
                try keyspace.beginSteadyPoint()
                isSaving.withLock { $0 = true }
                written = keyspace.pagesRewritten * 4096
                points += 1
                Thread.start {
                    do {
                        _ = try keyspace.saveSteadyPoint()
                    } catch {
                        fatalError("\(error)")
                    }
                    isSaving.withLock { $0 = false }
                }
            }
            try keyspace.apply(commands: commands)
            longest = max(longest, seconds(since: begun))
        }
        figure("puts a second", Double(puts) / seconds(since: start), "/s")
        figure("pages rewritten, bytes a put", Double(keyspace.pagesRewritten * 4096 / puts), "B")
        while isSaving.withLock({ $0 }) { usleep(10_000) }
        figure("written to disk, bytes a put", Double(Self.bytesWritten() / puts), "B")
        figure("steady points", Double(points), "")
        figure("longest batch", longest * 1000, "ms")
        let usage = keyspace.fileUsage()
        figure("file", Double(usage.bytes) / 1e6, "MB")
        figure("in use", Double(usage.bytesInUse) / 1e6, "MB")
        keyspace.stop()
    }

    /// Pages of the cache that this process made dirty: written once, however often it did.
    private static func bytesWritten() -> Int {
        guard let file = unsafe fopen("/proc/self/io", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while unsafe fgets(&line, 256, file) != nil {
            let text = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("write_bytes:") else { continue }
            return Int(text.prefix { $0 != "\n" }.filter(\.isNumber)) ?? 0
        }
        return 0
    }
}

/// A thread that nobody waits for.
private enum Thread {
    static func start(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        unsafe pthread_create(
            &thread, nil,
            { raw in
                guard let raw = unsafe raw else { return nil }
                unsafe Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body()
                return nil
            }, unsafe box.toOpaque())
        pthread_detach(thread)
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
