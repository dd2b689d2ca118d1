import ArgumentParser
import Basics
import Glibc
import Keyspace

/// The part of a restart after a power cut that grows with the data.
struct Rebuild: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a keyspace anew from a snapshot file, which is made first if it is absent.")

    @OptionGroup var place: Place
    @Option(help: "Size of all values; half of it compresses, as objects do.") var megabytes = 1000
    @Option var valueBytes = 1_000_000

    func run() throws {
        let snapshot = place.directory + "/snapshot"
        let made = place.directory + "/made"
        if unsafe access(snapshot, F_OK) != 0 { try fill(snapshot) }
        let start = MonotonicTime.now()
        let header = try SnapshotFile.restore(snapshot, into: made, isSynced: false)
        figure("made anew from the snapshot", seconds(since: start), "s")
        figure("keys", Double(header.keys), "")
        figure("private memory", privateMegabytes(), "MB")
        try BootMark.discard(directory: made)
    }

    private func fill(_ snapshot: String) throws {
        let keyspace = try place.open()
        var random = SeededRandom(seed: 1)
        let digits = Bytes("0123456789abcdef".utf8)
        let packed = valueBytes * 2 / 3
        for number in 0..<(megabytes * 1_000_000 / valueBytes) {
            let value =
                (0..<packed).map { _ in digits[random.below(16)] }
                + Bytes(repeating: 45, count: valueBytes - packed)
            try keyspace.apply(commands: [
                .transaction(
                    TransactionRequest(success: [.put(PutRequest(key: key(number), value: value))]))
            ])
        }
        let start = MonotonicTime.now()
        try SnapshotFile.save(keyspace.snapshot(clusterID: 1), to: snapshot)
        figure("snapshot saved", seconds(since: start), "s")
        keyspace.stop()
    }
}
