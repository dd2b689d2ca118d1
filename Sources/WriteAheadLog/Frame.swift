import Basics

/// One write of the log: a header of 24 bytes and records, back to back, in sectors of its own.
///
/// Written by one call, and valid as a whole or not at all: a sync covers whole frames.
struct Frame {
    static let headerBytes = 24
    /// A larger length is damage, not a frame.
    static let bodyBytesMax = 1 << 30

    /// Bytes of records.
    var length: Int
    /// The last entry of the log behind this frame: so a reader that meets damage before it knows
    /// how far the log reached.
    var lastIndex: UInt64
    var lastTerm: UInt64

    /// Sectors of the whole frame.
    var sectors: Int { Sector.count(ofPayload: Frame.headerBytes + length) }

    /// Room for the header; `seal` fills it in.
    static func begin(reserving recordBytes: Int) -> ByteWriter {
        var writer = ByteWriter(reserving: headerBytes + recordBytes)
        writer.write(Bytes(repeating: 0, count: headerBytes))
        return writer
    }

    static func seal(
        _ writer: consuming ByteWriter, lastIndex: UInt64, lastTerm: UInt64
    ) -> Bytes {
        writer.patchLittleEndian(UInt32(writer.count - headerBytes), at: 0)
        for (offset, value) in [(8, lastIndex), (16, lastTerm)] {
            writer.patchLittleEndian(UInt32(truncatingIfNeeded: value), at: offset)
            writer.patchLittleEndian(UInt32(truncatingIfNeeded: value >> 32), at: offset + 4)
        }
        return writer.bytes
    }

    /// nil for a length that no frame has.
    static func decode(_ payload: ArraySlice<UInt8>) -> Frame? {
        let start = payload.startIndex
        guard payload.count >= headerBytes else { return nil }
        let length = UInt32(littleEndianBytes: payload[start..<start + 4])
        guard length > 0, length <= bodyBytesMax else { return nil }
        return Frame(
            length: Int(length),
            lastIndex: UInt64(littleEndianBytes: payload[start + 8..<start + 16]),
            lastTerm: UInt64(littleEndianBytes: payload[start + 16..<start + 24]))
    }
}
