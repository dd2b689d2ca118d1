import Basics

/// The first sector of every segment file, and once more its second.
struct SegmentHeader: Equatable {
    static let magic: Bytes = Array("MARTWAL\n".utf8)
    static let formatVersion: UInt32 = 2
    /// Header, its copy, the vote twice, and reserve: frames begin behind these.
    static let preambleSectors: UInt32 = 8

    var clusterID: UInt64
    /// Segments are numbered from 1 without gaps.
    var sequence: UInt32
    /// The last entry before this segment: what its first entry follows.
    var previousIndex: UInt64
    var previousTerm: UInt64
    /// Bytes in use of the segment before; a shorter one has lost its end.
    var previousBytes: UInt64
    /// Checksum of the last of these sectors: another file in its place does not pass.
    var previousCheck: UInt32
    /// Segments before this one that do not count, because a part of them is damaged.
    var void: VoidRange?

    static func fileName(sequence: UInt32, isSpare: Bool = false) -> String {
        let digits = String(sequence, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
            + (isSpare ? ".spare" : ".wal")
    }

    /// The sequence in a segment's name; nil for any other file.
    static func sequence(ofFile name: String, isSpare: Bool = false) -> UInt32? {
        guard let dot = name.firstIndex(of: "."), let sequence = UInt32(name[..<dot], radix: 16),
            fileName(sequence: sequence, isSpare: isSpare) == name
        else { return nil }
        return sequence
    }

    /// One sector.
    func encoded(at number: UInt32) -> Bytes {
        var writer = ByteWriter(reserving: Sector.payloadBytes)
        writer.write(SegmentHeader.magic)
        writer.writeLittleEndian(SegmentHeader.formatVersion)
        writer.writeLittleEndian(UInt32(0))
        writer.writeLittleEndian(clusterID)
        writer.writeLittleEndian(UInt64(sequence))
        writer.writeLittleEndian(previousIndex)
        writer.writeLittleEndian(previousTerm)
        writer.writeLittleEndian(previousBytes)
        writer.writeLittleEndian(previousCheck)
        writer.writeLittleEndian(UInt32(0))
        writer.writeLittleEndian(UInt64(void?.sequence ?? 0))
        writer.writeLittleEndian(void?.offset ?? 0)
        return Sector.seal(writer.bytes, at: number, sequence: sequence, durable: 0, salt: 0)
    }

    /// From the payload of a sector whose checksum is right.
    static func decode(_ payload: ArraySlice<UInt8>) -> SegmentHeader? {
        let bytes = Bytes(payload)
        guard bytes.hasPrefix(magic), version(of: payload) == formatVersion else { return nil }
        let voidSequence = UInt64(littleEndianBytes: bytes[64..<72])
        return SegmentHeader(
            clusterID: UInt64(littleEndianBytes: bytes[16..<24]),
            sequence: UInt32(littleEndianBytes: bytes[24..<28]),
            previousIndex: UInt64(littleEndianBytes: bytes[32..<40]),
            previousTerm: UInt64(littleEndianBytes: bytes[40..<48]),
            previousBytes: UInt64(littleEndianBytes: bytes[48..<56]),
            previousCheck: UInt32(littleEndianBytes: bytes[56..<60]),
            void: voidSequence == 0
                ? nil
                : VoidRange(
                    sequence: UInt32(truncatingIfNeeded: voidSequence),
                    offset: UInt64(littleEndianBytes: bytes[72..<80])))
    }

    /// The format of what calls itself a segment, whatever its checksum: another version may have
    /// moved that. nil if the bytes are not a segment's.
    static func version(of bytes: ArraySlice<UInt8>) -> UInt32? {
        guard bytes.count >= 12, Bytes(bytes.prefix(8)) == magic else { return nil }
        let start = bytes.startIndex
        return UInt32(littleEndianBytes: bytes[start + 8..<start + 12])
    }
}

/// From an offset of a segment to the segment before the one that says so.
struct VoidRange: Equatable {
    var sequence: UInt32
    var offset: UInt64
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
