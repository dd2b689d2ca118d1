import Basics

/// The first 64 bytes of every segment file.
struct SegmentHeader: Equatable {
    static let magic: Bytes = Array("MARTWAL\n".utf8)
    static let formatVersion: UInt32 = 1
    static let byteCount = 64

    var clusterID: UInt64
    /// Segments are numbered from 1 without gaps.
    var sequence: UInt64
    /// The last entry before this segment: what its first entry follows.
    var previousIndex: UInt64
    var previousTerm: UInt64
    /// Bytes in use of the segment before; a shorter one has lost its end.
    var previousBytes: UInt64

    static func fileName(sequence: UInt64) -> String {
        let digits = String(sequence, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits + ".wal"
    }

    /// The sequence in a segment's name; nil for any other file.
    static func sequence(ofFile name: String) -> UInt64? {
        guard name.utf8.count == 20, name.hasSuffix(".wal"),
            let sequence = UInt64(name.dropLast(4), radix: 16), fileName(sequence: sequence) == name
        else { return nil }
        return sequence
    }

    func encoded() -> Bytes {
        var writer = ByteWriter(reserving: SegmentHeader.byteCount)
        writer.write(SegmentHeader.magic)
        writer.writeLittleEndian(SegmentHeader.formatVersion)
        writer.writeLittleEndian(UInt32(0))
        writer.writeLittleEndian(clusterID)
        writer.writeLittleEndian(sequence)
        writer.writeLittleEndian(previousIndex)
        writer.writeLittleEndian(previousTerm)
        writer.writeLittleEndian(previousBytes)
        writer.writeLittleEndian(UInt32(0))
        writer.writeLittleEndian(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// Throws a `LogError` with `file` for anything but a whole header of this format.
    static func decode(_ bytes: Bytes, file: String) throws(LogError) -> SegmentHeader {
        guard bytes.count >= byteCount else {
            throw LogError(.corrupt, file: file, "shorter than a segment header")
        }
        guard bytes.hasPrefix(magic) else {
            throw LogError(.corrupt, file: file, "this is not a segment of a log")
        }
        // A newer format may have moved the checksum, so the version speaks first.
        let version = UInt32(littleEndianBytes: bytes[8..<12])
        guard version == formatVersion else {
            throw LogError(
                .foreign, file: file,
                "format version \(version) is not the \(formatVersion) that this program reads")
        }
        guard UInt32(littleEndianBytes: bytes[60..<64]) == CRC32C.checksum(bytes[0..<60]) else {
            throw LogError(.corrupt, file: file, "the header's checksum does not match")
        }
        return SegmentHeader(
            clusterID: UInt64(littleEndianBytes: bytes[16..<24]),
            sequence: UInt64(littleEndianBytes: bytes[24..<32]),
            previousIndex: UInt64(littleEndianBytes: bytes[32..<40]),
            previousTerm: UInt64(littleEndianBytes: bytes[40..<48]),
            previousBytes: UInt64(littleEndianBytes: bytes[48..<56]))
    }
}

extension UInt32 {
    init(littleEndianBytes bytes: ArraySlice<UInt8>) {
        self = bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension UInt64 {
    init(littleEndianBytes bytes: ArraySlice<UInt8>) {
        self = bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
