import Basics
import Keyspace
import ReplicaCore

/// What of a replica's keyspace file is on the disk for sure. LMDB writes to memory here; a power
/// cut puts back some of the sectors that were written since the last steady point was synced.
struct SimulatedKeyspaceFile {
    private static let sectorBytes = 512
    private var durable: Bytes = []

    /// The file of the directory was synced.
    mutating func synced(_ directory: ReplicaDirectory) {
        durable = (try? FileSystem.read(directory.keyspace + "/" + Keyspace.fileName)) ?? []
    }

    /// The machine starts anew, with the file in a state that a power cut may leave. A file without
    /// a steady point of its last opening is not looked at by the next start.
    mutating func cutPower(
        _ directory: ReplicaDirectory, _ random: inout SeededRandom
    ) throws(ReplicaFailure) {
        let mark = directory.keyspace + "/" + BootMark.fileName
        guard let text = try FileSystem.read(mark) else { return }
        var words = String(decoding: text, as: UTF8.self).split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[0] == "running" else { return }
        words[1] = "an-earlier-boot"
        try FileSystem.replace(mark, Array(words.joined(separator: " ").utf8))
        let path = directory.keyspace + "/" + Keyspace.fileName
        guard !durable.isEmpty, var image = try FileSystem.read(path) else { return }
        let mode = random.below(4)
        for start in stride(from: 0, to: image.count, by: Self.sectorBytes) {
            let end = min(start + Self.sectorBytes, image.count)
            guard mode == 0 || mode > 1 && random.chance(1, in: mode) else { continue }
            for index in start..<end { image[index] = index < durable.count ? durable[index] : 0 }
        }
        try FileSystem.replace(path, image)
        durable = image
    }
}
