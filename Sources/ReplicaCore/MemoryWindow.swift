import Raft

/// Decides how many applied entries Raft keeps in memory for followers behind.
///
/// In generations: when one is full, the entries before it go. So between one and two
/// generations are kept, at a cost of one comparison an entry.
struct MemoryWindow {
    static let bytesMax = 16 << 20
    /// While a snapshot is on its way its receiver needs the entries behind it.
    private static let heldGenerationsMax = 16

    private var generationStart: UInt64 = 0
    private var bytes = 0
    private var count = 0
    private var held = 0

    mutating func begin(applied: UInt64) {
        generationStart = applied
        bytes = 0
        count = 0
        held = 0
    }

    /// The index up to which entries can go now, if any.
    mutating func applied(_ entries: [Entry], limit: Int, isHeld: Bool) -> UInt64? {
        for entry in entries { bytes += entry.payload.count + 64 }
        count += entries.count
        guard bytes >= Self.bytesMax || count >= limit / 2, let last = entries.last else {
            return nil
        }
        if isHeld, held < Self.heldGenerationsMax {
            held += 1
            bytes = 0
            count = 0
            return nil
        }
        defer { begin(applied: last.index) }
        return generationStart
    }
}
