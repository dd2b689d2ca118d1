import ArgumentParser
import Basics
import Glibc
import Keyspace

/// What is left of a restart after a power cut without Raft and log: the keyspace from a snapshot
/// file, or its file as of the steady point.
struct Restart: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a keyspace anew from a snapshot file.")

    @OptionGroup var place: Place
    @Option(help: "Size of all values; half of it compresses, as objects do.") var megabytes = 1000
    @Option var valueBytes = 1_000_000

    func run() throws {
        for path in ["", "/keyspace"] { _ = unsafe mkdir(place.directory + path, 0o700) }
        let boot = place.directory + "/boot"
        unsafe setenv("MARTLET_BOOT_ID_FILE", boot, 1)
        try setBoot(boot, "before")
        let directory = place.directory + "/keyspace"
        let keyspace = try Keyspace.openRunning(
            directory: directory, options: Keyspace.Options())
        var random = SeededRandom(seed: 1)
        let digits = Bytes("0123456789abcdef".utf8)
        for number in 0..<(megabytes * 1_000_000 / valueBytes) {
            let half = valueBytes * 2 / 3
            let value =
                (0..<half).map { _ in digits[random.below(16)] }
                + Bytes(repeating: 45, count: valueBytes - half)
            try keyspace.apply(commands: [
                .transaction(
                    TransactionRequest(success: [.put(PutRequest(key: key(number), value: value))]))
            ])
        }
        let file = place.directory + "/snapshot"
        var start = MonotonicTime.now()
        try SnapshotFile.save(keyspace.snapshot(clusterID: 1), to: file)
        figure("snapshot saved", seconds(since: start), "s")
        try keyspace.beginSteadyPoint()
        _ = try keyspace.saveSteadyPoint()
        keyspace.stop()
        try setBoot(boot, "after")
        start = MonotonicTime.now()
        let opened = try Keyspace.openAtSteadyPoint(
            directory: directory, opening: 1, options: Keyspace.Options())
        figure("opened at the steady point", seconds(since: start), "s")
        opened?.stop()
        start = MonotonicTime.now()
        try SnapshotFile.restore(file, into: place.directory + "/restored")
        figure("made anew from the snapshot", seconds(since: start), "s")
    }

    private func setBoot(_ path: String, _ text: String) throws {
        guard let file = unsafe fopen(path, "w") else { throw ValidationError("no \(path)") }
        unsafe fputs(text, file)
        unsafe fclose(file)
    }
}
