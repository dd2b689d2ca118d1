import Basics

/// Reads a segment front to back through one buffer of about a mebibyte.
struct SegmentReader {
    private static let chunkBytes = 1 << 20

    let file: any LogFile
    let size: UInt64
    private var chunk: Bytes = []
    private var chunkOffset: UInt64 = 0

    init(_ file: any LogFile) throws(LogError) {
        self.file = file
        size = try file.size()
    }

    /// Exactly `count` bytes; nil if the file ends before.
    mutating func bytes(at offset: UInt64, count: Int) throws(LogError) -> ArraySlice<UInt8>? {
        guard offset + UInt64(count) <= size else { return nil }
        if offset < chunkOffset || offset + UInt64(count) > chunkOffset + UInt64(chunk.count) {
            chunk = try file.read(at: offset, count: max(count, SegmentReader.chunkBytes))
            chunkOffset = offset
            guard chunk.count >= count else { return nil }
        }
        let start = Int(offset - chunkOffset)
        return chunk[start..<start + count]
    }

    /// Offset of the first byte that is not zero from `offset` on; nil if all are zero.
    mutating func firstNonZero(from offset: UInt64) throws(LogError) -> UInt64? {
        var position = offset
        while position < size {
            let count = Int(min(UInt64(SegmentReader.chunkBytes), size - position))
            guard let part = try bytes(at: position, count: count) else { return nil }
            if let index = part.firstIndex(where: { $0 != 0 }) {
                return position + UInt64(index - part.startIndex)
            }
            position += UInt64(count)
        }
        return nil
    }

    /// Whether every byte of the range is zero; a range beyond the end of the file counts.
    mutating func isZero(_ range: Range<UInt64>) throws(LogError) -> Bool {
        let end = min(range.upperBound, size)
        guard range.lowerBound < end else { return true }
        let part = try bytes(at: range.lowerBound, count: Int(end - range.lowerBound))
        return part?.allSatisfy { $0 == 0 } ?? true
    }
}
