package import Raft

/// Decides how many applied entries Raft keeps in memory for followers behind.
///
/// In generations, so that an entry costs one comparison: the newest whole one stays always, those
/// before it while a follower needs them and there is room.
package struct MemoryWindow {
    package static let generationBytesMax = 16 << 20
    /// Letting go of the oldest moves all others.
    package static let generationsMax = 32
    /// Of an entry beside its payload.
    package static let entryBytes = 64

    private struct Generation {
        var last: UInt64
        var bytes: Int
    }

    /// What the whole generations may take together.
    private let bytesMax: Int
    /// Entries of a generation.
    private let countMax: Int
    /// Oldest first.
    private var whole: [Generation] = []
    private var wholeBytes = 0
    private var bytes = 0
    private var count = 0

    package init(bytesMax: Int, entriesMax: Int) {
        self.bytesMax = bytesMax
        countMax = max(1, entriesMax / 2)
    }

    /// Starts anew behind a state that came without its entries.
    mutating func begin() {
        whole = []
        wholeBytes = 0
        bytes = 0
        count = 0
    }

    /// Takes entries up; true when a generation became whole, so that `trim` may find something.
    package mutating func applied(_ entries: [Entry]) -> Bool {
        guard let last = entries.last else { return false }
        for entry in entries { bytes += entry.payload.count + Self.entryBytes }
        count += entries.count
        guard bytes >= Self.generationBytesMax || count >= countMax else { return false }
        whole.append(Generation(last: last.index, bytes: bytes))
        wholeBytes += bytes
        bytes = 0
        count = 0
        return true
    }

    /// The index up to which entries can go now, if any.
    ///
    /// - Parameter needed: The first entry that a follower within reach does not have.
    package mutating func trim(needed: UInt64) -> UInt64? {
        var gone: UInt64?
        while let oldest = whole.first, whole.count > 1,
            oldest.last < needed || wholeBytes > bytesMax || whole.count > Self.generationsMax
        {
            gone = oldest.last
            wholeBytes -= oldest.bytes
            whole.removeFirst()
        }
        return gone
    }
}
