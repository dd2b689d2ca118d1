package import Basics

/// Writes protobuf fields; zero, false and empty are left out, as proto3 has it.
package struct ProtobufWriter: Sendable {
    private var writer: ByteWriter

    package init(reserving capacity: Int = 64) {
        writer = ByteWriter(reserving: capacity)
    }

    package var bytes: Bytes { writer.bytes }
    package var count: Int { writer.count }

    package mutating func write(_ field: Int, _ value: UInt64) {
        guard value != 0 else { return }
        writer.writeVarint(UInt64(field << 3))
        writer.writeVarint(value)
    }

    package mutating func write(_ field: Int, _ value: Int64) {
        write(field, UInt64(bitPattern: value))
    }

    package mutating func write(_ field: Int, _ value: Bool) {
        write(field, value ? 1 as UInt64 : 0)
    }

    package mutating func write(_ field: Int, _ value: Bytes) {
        if !value.isEmpty { writeElement(field, value) }
    }

    package mutating func write(_ field: Int, _ value: String) {
        if !value.isEmpty { writeElement(field, Bytes(value.utf8)) }
    }

    /// An element of a repeated field, or a member of a oneof: written even if empty.
    package mutating func writeElement(_ field: Int, _ value: Bytes) {
        writer.writeVarint(UInt64(field << 3 | 2))
        writer.writeCounted(value)
    }

    /// What stands before an element of `count` bytes, which come next.
    package mutating func beginElement(_ field: Int, count: Int) {
        writer.writeVarint(UInt64(field << 3 | 2))
        writer.writeVarint(UInt64(count))
    }

    /// A message field, written even if empty.
    package mutating func write(_ field: Int, _ message: some ProtobufEncodable) {
        writer.writeVarint(UInt64(field << 3 | 2))
        let start = writer.beginCounted()
        message.encode(to: &self)
        writer.endCounted(from: start)
    }
}

extension ProtobufWriter {
    /// Bytes of a field, without writing it; 0 for what is left out. For fields up to 15.
    package static func bytes(of value: Int64) -> Int {
        value == 0 ? 0 : 1 + UInt64(bitPattern: value).varintBytes
    }

    /// Bytes of a field that holds `count` bytes, written even if empty.
    package static func elementBytes(_ count: Int) -> Int {
        1 + UInt64(count).varintBytes + count
    }
}

extension MeasuredWriter {
    /// As `ProtobufWriter` has it.
    mutating func write(_ field: Int, _ value: Int64) {
        guard value != 0 else { return }
        writeVarint(UInt64(field << 3))
        writeVarint(UInt64(bitPattern: value))
    }

    /// What stands before an element of `count` bytes, which come next.
    mutating func beginElement(_ field: Int, count: Int) {
        writeVarint(UInt64(field << 3 | 2))
        writeVarint(UInt64(count))
    }
}

/// What has a protobuf form in etcd's messages.
package protocol ProtobufEncodable {
    func encode(to writer: inout ProtobufWriter)
}

/// What is read from one of etcd's messages.
package protocol ProtobufDecodable {
    /// The message's name, for errors.
    static var messageName: String { get }
    init(from reader: inout ProtobufReader) throws(DecodingFailure)
}

extension ProtobufEncodable {
    package var protobufBytes: Bytes {
        var writer = ProtobufWriter()
        encode(to: &writer)
        return writer.bytes
    }
}

extension ProtobufDecodable {
    package init(protobuf bytes: Bytes) throws(DecodingFailure) {
        var reader = ProtobufReader(bytes, Self.messageName)
        self = try Self(from: &reader)
    }

    /// Reads the message that is the reader's current field.
    package init(within reader: inout ProtobufReader) throws(DecodingFailure) {
        var inner = try reader.message(Self.messageName)
        self = try Self(from: &inner)
    }
}
