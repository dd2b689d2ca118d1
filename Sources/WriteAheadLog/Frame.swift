import Basics

/// One append: a header of 24 bytes, records back to back, zeros to a multiple of 8.
///
/// Both checksums begin with the segment's sequence and the frame's offset, so that bytes from
/// another place, or left over from another segment, never pass.
enum Frame {
    static let headerBytes = 24
    /// A larger length is damage, not a frame.
    static let bodyBytesMax = 1 << 30

    /// Makes room for the header at the end of `writer`; `seal` fills it in.
    static func begin(reserving recordBytes: Int) -> ByteWriter {
        var writer = ByteWriter(reserving: paddedBytes(recordBytes))
        writer.write(Bytes(repeating: 0, count: headerBytes))
        return writer
    }

    /// - Parameter durable: offset in the segment up to which everything is synced by now.
    static func seal(
        _ writer: consuming ByteWriter, sequence: UInt64, offset: UInt64, durable: UInt64
    ) -> Bytes {
        let length = UInt32(writer.count - headerBytes)
        writer.patchLittleEndian(length, at: 0)
        writer.patchLittleEndian(lengthCheck(length, sequence, offset), at: 4)
        writer.patchLittleEndian(UInt32(truncatingIfNeeded: durable), at: 8)
        writer.patchLittleEndian(UInt32(truncatingIfNeeded: durable >> 32), at: 12)
        writer.write(Bytes(repeating: 0, count: paddedBytes(Int(length)) - writer.count))
        writer.patchLittleEndian(check(writer.bytes[...], sequence, offset), at: 16)
        return writer.bytes
    }

    /// The whole frame's bytes for a body of this length.
    static func paddedBytes(_ bodyBytes: Int) -> Int {
        (headerBytes + bodyBytes + 7) & ~7
    }

    static func lengthCheck(_ length: UInt32, _ sequence: UInt64, _ offset: UInt64) -> UInt32 {
        var writer = ByteWriter(reserving: 20)
        writer.writeLittleEndian(sequence)
        writer.writeLittleEndian(offset)
        writer.writeLittleEndian(length)
        return CRC32C.checksum(writer.bytes)
    }

    /// Over the place, the header without this checksum, the body and the padding.
    static func check(_ frame: ArraySlice<UInt8>, _ sequence: UInt64, _ offset: UInt64) -> UInt32 {
        var writer = ByteWriter(reserving: 16)
        writer.writeLittleEndian(sequence)
        writer.writeLittleEndian(offset)
        let place = CRC32C.checksum(writer.bytes)
        let start = frame.startIndex
        let head = CRC32C.checksum(frame[start..<start + 16], continuing: place)
        return CRC32C.checksum(frame[(start + 20)...], continuing: head)
    }
}
