/// Appends integers, varints and length-prefixed bytes to a buffer.
///
/// Fixed-width integers are little-endian unless the name says big-endian; big-endian keys sort
/// by value.
package struct ByteWriter: Sendable {
    package private(set) var bytes: Bytes

    package init(reserving capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    package init(appendingTo bytes: consuming Bytes) {
        self.bytes = bytes
    }

    package var count: Int { bytes.count }

    package mutating func write(_ value: UInt8) {
        bytes.append(value)
    }

    package mutating func write(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    package mutating func write(_ raw: some Sequence<UInt8>) {
        bytes.append(contentsOf: raw)
    }

    /// Not generic, for hot paths of other modules.
    package mutating func write(raw: UnsafeRawBufferPointer) {
        unsafe bytes.append(contentsOf: raw)
    }

    @inlinable
    package mutating func writeLittleEndian<I: FixedWidthInteger>(_ value: I) {
        writeLittleEndian(UInt64(truncatingIfNeeded: value), width: I.bitWidth / 8)
    }

    @inlinable
    package mutating func writeBigEndian<I: FixedWidthInteger>(_ value: I) {
        let width = I.bitWidth / 8
        let word = UInt64(truncatingIfNeeded: value) << UInt64(64 - I.bitWidth)
        writeLittleEndian(word.byteSwapped, width: width)
    }

    /// Not generic, as in `ByteReader`. The lowest `width` bytes, 8 at most.
    @usableFromInline
    mutating func writeLittleEndian(_ word: UInt64, width: Int) {
        unsafe withUnsafeBytes(of: word.littleEndian) { raw in
            unsafe bytes.append(contentsOf: raw.prefix(width))
        }
    }

    /// Base-128, least significant group first, as protobuf and LEB128 have it.
    package mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    package mutating func writeVarint(_ value: Int64) {
        writeVarint(UInt64(bitPattern: value))
    }

    /// A varint count and then the bytes.
    package mutating func writeCounted(_ raw: Bytes) {
        writeVarint(UInt64(raw.count))
        bytes.append(contentsOf: raw)
    }

    /// Begins bytes whose varint count is known only behind them; answers where they start.
    package mutating func beginCounted() -> Int {
        bytes.append(0)
        return bytes.count
    }

    /// Puts the count before what was written since `beginCounted`. One byte is there for it; bytes
    /// are moved for a longer one.
    package mutating func endCounted(from start: Int) {
        var rest = UInt64(bytes.count - start)
        guard rest >= 0x80 else {
            bytes[start - 1] = UInt8(rest)
            return
        }
        var tail: (count: Int, bytes: UInt64) = (0, 0)
        bytes[start - 1] = UInt8(truncatingIfNeeded: rest) | 0x80
        rest >>= 7
        while rest > 0 {
            let byte = UInt8(truncatingIfNeeded: rest & 0x7f) | (rest >= 0x80 ? 0x80 : 0)
            tail.bytes |= UInt64(byte) << UInt64(8 * tail.count)
            tail.count += 1
            rest >>= 7
        }
        unsafe withUnsafeBytes(of: tail.bytes.littleEndian) { raw in
            unsafe bytes.insert(contentsOf: raw.prefix(tail.count), at: start)
        }
    }

    /// Overwrites four bytes written before, for a length or checksum known only afterwards.
    package mutating func patchLittleEndian(_ value: UInt32, at offset: Int) {
        precondition(offset >= 0 && offset + 4 <= bytes.count, "patch outside of what was written")
        for index in 0..<4 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(index * 8))
        }
    }
}
