import Basics

/// Walks the frames of one segment and tells a torn tail from damage.
///
/// A sector of 512 bytes reaches the disk whole or not at all, in any order before a sync; space
/// that was never written reads as zeros. So an append that a crash interrupted lacks at least one
/// sector, and no later append can claim that it was synced. Everything else is damage.
struct SegmentScan {
    static let sectorBytes: UInt64 = 512

    let name: String
    let sequence: UInt64
    var reader: SegmentReader

    enum Step {
        case frame(end: UInt64, body: ArraySlice<UInt8>)
        /// Only zeros follow.
        case end
        case bad(reason: String, isTorn: Bool)
    }

    /// What stands at `offset`.
    mutating func step(at offset: UInt64) throws(LogError) -> Step {
        guard reader.size >= offset + UInt64(Frame.headerBytes) else {
            return try reader.isZero(offset..<reader.size)
                ? .end : .bad(reason: "the file ends in a frame's header", isTorn: true)
        }
        let header = try reader.bytes(at: offset, count: Frame.headerBytes) ?? []
        let start = header.startIndex
        let length = UInt32(littleEndianBytes: header[start..<start + 4])
        let lengthCheck = UInt32(littleEndianBytes: header[start + 4..<start + 8])
        if length == 0 && lengthCheck == 0 {
            guard let dirt = try reader.firstNonZero(from: offset) else { return .end }
            let sectorEnd = offset / SegmentScan.sectorBytes * SegmentScan.sectorBytes + 512
            return dirt >= sectorEnd
                ? .bad(reason: "an append lacks its beginning", isTorn: true)
                : .bad(reason: "a frame's length is zero", isTorn: false)
        }
        guard lengthCheck == Frame.lengthCheck(length, sequence, offset), length > 0,
            length <= Frame.bodyBytesMax
        else { return .bad(reason: "the check of a frame's length does not match", isTorn: false) }
        let end = offset + UInt64(Frame.paddedBytes(Int(length)))
        guard let frame = try reader.bytes(at: offset, count: Int(end - offset)) else {
            return .bad(reason: "the file ends in a frame", isTorn: true)
        }
        let sum = UInt32(
            littleEndianBytes: frame[frame.startIndex + 16..<frame.startIndex + 20])
        if sum == Frame.check(frame, sequence, offset) {
            let body = frame.startIndex + Frame.headerBytes
            return .frame(end: end, body: frame[body..<body + Int(length)])
        }
        return .bad(
            reason: "a frame's checksum does not match",
            isTorn: try lacksSector(offset..<end))
    }

    /// Whether a whole sector's part of the frame was never written.
    private mutating func lacksSector(_ range: Range<UInt64>) throws(LogError) -> Bool {
        var start = range.lowerBound
        while start < range.upperBound {
            let sector = start / SegmentScan.sectorBytes
            let end = min((sector + 1) * SegmentScan.sectorBytes, range.upperBound)
            if try reader.isZero(start..<end) { return true }
            start = end
        }
        return false
    }

    /// Whether a whole frame behind `offset` says that `offset` was synced before it was written.
    mutating func isProvenDurable(_ offset: UInt64) throws(LogError) -> Bool {
        var position = (offset & ~7) + 8
        while let dirt = try reader.firstNonZero(from: position) {
            position = max(position, dirt & ~7)
            if case .durable(let durable)? = try frameClaim(at: position), durable > offset {
                return true
            }
            position += 8
        }
        return false
    }

    private enum Claim { case durable(UInt64) }

    private mutating func frameClaim(at offset: UInt64) throws(LogError) -> Claim? {
        guard let header = try reader.bytes(at: offset, count: Frame.headerBytes) else {
            return nil
        }
        let start = header.startIndex
        let length = UInt32(littleEndianBytes: header[start..<start + 4])
        let check = UInt32(littleEndianBytes: header[start + 4..<start + 8])
        guard length > 0, length <= Frame.bodyBytesMax,
            check == Frame.lengthCheck(length, sequence, offset)
        else { return nil }
        let durable = UInt64(littleEndianBytes: header[start + 8..<start + 16])
        let whole = Frame.paddedBytes(Int(length))
        guard let frame = try reader.bytes(at: offset, count: whole),
            UInt32(littleEndianBytes: frame[frame.startIndex + 16..<frame.startIndex + 20])
                == Frame.check(frame, sequence, offset)
        else { return nil }
        return .durable(durable)
    }
}
