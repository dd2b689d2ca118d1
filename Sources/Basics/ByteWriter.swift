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

    package mutating func writeLittleEndian<I: FixedWidthInteger>(_ value: I) {
        for shift in stride(from: 0, to: I.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> I(shift)))
        }
    }

    package mutating func writeBigEndian<I: FixedWidthInteger>(_ value: I) {
        for shift in stride(from: I.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> I(shift)))
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

    /// Overwrites four bytes written before, for a length or checksum known only afterwards.
    package mutating func patchLittleEndian(_ value: UInt32, at offset: Int) {
        precondition(offset >= 0 && offset + 4 <= bytes.count, "patch outside of what was written")
        for index in 0..<4 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(index * 8))
        }
    }
}
