import Basics

/// Reads protobuf's wire format out of a part of a buffer.
struct ProtobufReader {
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(Range<Int>)
    }

    let bytes: Bytes
    private(set) var position: Int
    private let end: Int

    init(_ bytes: Bytes, in range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position >= end }

    mutating func readVarint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let byte = bytes[position]
            position += 1
            if shift == 63, byte > 1 { throw ProtobufError("integer overflow") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { throw ProtobufError("integer overflow") }
        }
        throw ProtobufError("unexpected EOF")
    }

    /// The next field's number and value.
    mutating func readField() throws(ProtobufError) -> (number: UInt64, value: Value) {
        let tag = try readVarint()
        let number = tag >> 3
        guard number > 0, number <= 0x1fff_ffff else {
            throw ProtobufError("illegal tag \(number) (wire type \(tag & 7))")
        }
        switch tag & 7 {
        case 0: return (number, .varint(try readVarint()))
        case 1: return (number, .fixed64(try readFixed(8)))
        case 2:
            let count = try readVarint()
            guard count <= UInt64(end - position) else { throw ProtobufError("unexpected EOF") }
            let start = position
            position += Int(count)
            return (number, .bytes(start..<position))
        case 5: return (number, .fixed32(UInt32(try readFixed(4))))
        default: throw ProtobufError("illegal wireType \(tag & 7)")
        }
    }

    private mutating func readFixed(_ width: Int) throws(ProtobufError) -> UInt64 {
        guard end - position >= width else { throw ProtobufError("unexpected EOF") }
        var value: UInt64 = 0
        for index in 0..<width { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        position += width
        return value
    }
}

/// Why bytes are not the protobuf message that was expected.
package struct ProtobufError: Error, Sendable, Hashable, CustomStringConvertible {
    package let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    package var description: String { "proto: \(reason)" }
}
