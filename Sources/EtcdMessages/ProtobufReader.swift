package import Basics

/// Walks the fields of one protobuf message without copying the messages within it.
package struct ProtobufReader: Sendable {
    package enum Wire: UInt64, Sendable { case varint = 0, fixed64 = 1, counted = 2, fixed32 = 5 }

    private var reader: ByteReader
    private let name: String
    private var wire = Wire.varint

    /// `name` is the message's, for errors.
    package init(_ bytes: Bytes, _ name: String) {
        reader = ByteReader(bytes)
        self.name = name
    }

    private init(_ reader: ByteReader, _ name: String) {
        self.reader = reader
        self.name = name
    }

    /// The next field's number, or nil at the end. The field is then read or skipped.
    package mutating func next() throws(DecodingFailure) -> Int? {
        guard !reader.isAtEnd else { return nil }
        let tag = try reader.readVarint(name)
        guard let wire = Wire(rawValue: tag & 7), tag >> 3 > 0, tag >> 3 < 1 << 29 else {
            throw reader.failure(name, "malformed field tag")
        }
        self.wire = wire
        return Int(tag >> 3)
    }

    package mutating func skip() throws(DecodingFailure) {
        switch wire {
        case .varint: _ = try reader.readVarint(name)
        case .fixed64: try reader.skip(name, count: 8)
        case .fixed32: try reader.skip(name, count: 4)
        case .counted:
            let count = try reader.readVarint(name)
            guard count <= UInt64(reader.remaining) else {
                throw reader.failure(name, "input ends early")
            }
            try reader.skip(name, count: Int(count))
        }
    }

    package mutating func unsigned() throws(DecodingFailure) -> UInt64 {
        try expect(.varint)
        return try reader.readVarint(name)
    }

    package mutating func signed() throws(DecodingFailure) -> Int64 {
        Int64(bitPattern: try unsigned())
    }

    package mutating func bool() throws(DecodingFailure) -> Bool {
        try unsigned() != 0
    }

    package mutating func bytes() throws(DecodingFailure) -> Bytes {
        try expect(.counted)
        return try reader.readCounted(name)
    }

    /// A string, which is UTF-8 or refused, as protobuf has it.
    package mutating func text() throws(DecodingFailure) -> String {
        guard let text = String(validating: try bytes(), as: UTF8.self) else {
            throw failure("string field contains invalid UTF-8")
        }
        return text
    }

    /// A string that is kept as bytes.
    package mutating func textBytes() throws(DecodingFailure) -> Bytes {
        Bytes(try text().utf8)
    }

    /// A message within this one.
    package mutating func message(_ name: String) throws(DecodingFailure) -> ProtobufReader {
        try expect(.counted)
        let count = try reader.readVarint(name)
        guard count <= UInt64(reader.remaining) else {
            throw reader.failure(name, "input ends early")
        }
        let start = reader.offset
        try reader.skip(name, count: Int(count))
        return ProtobufReader(ByteReader(reader.bytes, in: start..<start + Int(count)), name)
    }

    /// One element of a repeated number, or all of them if they come packed.
    package mutating func numbers() throws(DecodingFailure) -> [UInt64] {
        guard wire == .counted else { return [try unsigned()] }
        var packed = try message(name)
        var values: [UInt64] = []
        while !packed.reader.isAtEnd { values.append(try packed.reader.readVarint(name)) }
        return values
    }

    package func failure(
        _ reason: String, _ kind: DecodingFailure.Kind = .malformed
    ) -> DecodingFailure {
        reader.failure(name, reason, kind)
    }

    private func expect(_ expected: Wire) throws(DecodingFailure) {
        guard wire == expected else { throw failure("wrong wire type") }
    }
}
