import Documents
import Basics

/// Transcodes protobuf messages to JSON by the schema tables.
struct ProtobufDecoder {
    /// Nested messages; deeper than any API type goes.
    private static let depthMax = 64

    private let bytes: Bytes
    private var depth = 0

    private init(_ bytes: Bytes) {
        self.bytes = bytes
    }

    /// `range` of `bytes` as a message; unknown fields are skipped.
    static func decode(
        _ bytes: Bytes, in range: Range<Int>, as message: SchemaMessage
    ) throws(ProtobufError) -> JSON {
        var decoder = ProtobufDecoder(bytes)
        var object = JSONObject()
        try decoder.decode(range, message, into: &object)
        return .object(object)
    }

    private mutating func decode(
        _ range: Range<Int>, _ message: SchemaMessage, into object: inout JSONObject
    ) throws(ProtobufError) {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw ProtobufError("exceeded max depth") }
        var reader = ProtobufReader(bytes, in: range)
        // Elements of repeated fields, gathered so that the arrays grow in place.
        var lists: [(field: SchemaField, elements: [JSON])] = []
        var maps: [(field: SchemaField, object: JSONObject)] = []
        while !reader.isAtEnd {
            let (number, value) = try reader.readField()
            guard let field = message.field(number: number) else { continue }
            switch field.cardinality {
            case .single:
                if field.isInline, let inline = field.message {
                    try decode(try Self.range(value, field), inline, into: &object)
                } else {
                    object.replace(field.name, with: try decode(value, field))
                }
            case .repeated:
                let elements = try decodeElements(value, field)
                if let index = lists.lastIndex(where: { $0.field.number == field.number }) {
                    lists[index].elements += elements
                } else {
                    lists.append((field, elements))
                }
            case .map:
                let (key, entry) = try decodeEntry(try Self.range(value, field), field)
                if let index = maps.lastIndex(where: { $0.field.number == field.number }) {
                    maps[index].object.replace(key, with: entry)
                } else {
                    var map = JSONObject()
                    map.replace(key, with: entry)
                    maps.append((field, map))
                }
            }
        }
        for list in lists { object.replace(list.field.name, with: .array(list.elements)) }
        for map in maps { object.replace(map.field.name, with: .object(map.object)) }
    }

    private static func range(
        _ value: ProtobufReader.Value, _ field: SchemaField
    ) throws(ProtobufError) -> Range<Int> {
        guard case .bytes(let range) = value else { throw wrongType(field) }
        return range
    }

    private static func wrongType(_ field: SchemaField) -> ProtobufError {
        ProtobufError("wrong wireType for field \(field.name)")
    }

    /// One element, or many where a repeated scalar is packed.
    private mutating func decodeElements(
        _ value: ProtobufReader.Value, _ field: SchemaField
    ) throws(ProtobufError) -> [JSON] {
        switch (field.type, value) {
        case (.int32, .bytes(let range)), (.int64, .bytes(let range)), (.bool, .bytes(let range)):
            var reader = ProtobufReader(bytes, in: range)
            var elements: [JSON] = []
            while !reader.isAtEnd {
                elements.append(try decode(.varint(try reader.readVarint()), field))
            }
            return elements
        default: return [try decode(value, field)]
        }
    }

    private mutating func decodeEntry(
        _ range: Range<Int>, _ field: SchemaField
    ) throws(ProtobufError) -> (String, JSON) {
        var reader = ProtobufReader(bytes, in: range)
        var key = ""
        var entry: JSON?
        while !reader.isAtEnd {
            let (number, value) = try reader.readField()
            if number == 1 { key = text(try Self.range(value, field)) }
            if number == 2 { entry = try decode(value, field) }
        }
        if let entry { return (key, entry) }
        switch field.type {
        case .string, .bytes: return (key, "")
        case .quantity: return (key, "0")
        default: return (key, .object(JSONObject()))
        }
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    private mutating func decode(
        _ value: ProtobufReader.Value, _ field: SchemaField
    ) throws(ProtobufError) -> JSON {
        switch (field.type, value) {
        case (.string, .bytes(let range)): return .string(text(range))
        case (.bytes, .bytes(let range)): return .string(Base64.encode(bytes[range]))
        case (.int32, .varint(let raw)): return .integer(Int64(Int32(truncatingIfNeeded: raw)))
        case (.int64, .varint(let raw)): return .integer(Int64(bitPattern: raw))
        case (.bool, .varint(let raw)): return .bool(raw != 0)
        case (.double, .fixed64(let raw)):
            let number = Double(bitPattern: raw)
            guard number.isFinite else { throw ProtobufError("\(field.name) is not a number") }
            return .double(number)
        case (.quantity, .bytes(let range)): return try decodeQuantity(range)
        case (.time, .bytes(let range)): return try decodeTime(range, isMicro: false)
        case (.microTime, .bytes(let range)): return try decodeTime(range, isMicro: true)
        case (.intOrString, .bytes(let range)): return try decodeIntOrString(range)
        case (.raw, .bytes(let range)): return try decodeRaw(range)
        case (.message(let index), .bytes(let range)):
            var object = JSONObject()
            try decode(range, Schema.messages[index], into: &object)
            return .object(object)
        default: throw Self.wrongType(field)
        }
    }
}

// Messages whose JSON is not an object of their fields.
extension ProtobufDecoder {
    private func decodeQuantity(_ range: Range<Int>) throws(ProtobufError) -> JSON {
        var reader = ProtobufReader(bytes, in: range)
        var result = ""
        while !reader.isAtEnd {
            let (number, value) = try reader.readField()
            if number == 1, case .bytes(let part) = value { result = text(part) }
        }
        return .string(result.isEmpty ? "0" : result)
    }

    /// An empty message is the zero time, which JSON has as null.
    private func decodeTime(_ range: Range<Int>, isMicro: Bool) throws(ProtobufError) -> JSON {
        if range.isEmpty { return .null }
        var reader = ProtobufReader(bytes, in: range)
        var seconds: Int64 = 0
        var nanos: Int64 = 0
        while !reader.isAtEnd {
            let (number, value) = try reader.readField()
            guard case .varint(let raw) = value else { continue }
            if number == 1 { seconds = Int64(bitPattern: raw) }
            if number == 2 { nanos = Int64(Int32(truncatingIfNeeded: raw)) }
        }
        // Years 1 to 9999, which is what the text form can say.
        guard seconds >= -62_135_596_800, seconds <= 253_402_300_799,
            (0..<1_000_000_000).contains(nanos)
        else { throw ProtobufError("time out of range") }
        let time = WallTime(microseconds: seconds * 1_000_000 + nanos / 1000)
        return .string(isMicro ? time.rfc3339Micro : time.rfc3339)
    }

    private func decodeIntOrString(_ range: Range<Int>) throws(ProtobufError) -> JSON {
        var reader = ProtobufReader(bytes, in: range)
        var isString = false
        var number: Int64 = 0
        var string = ""
        while !reader.isAtEnd {
            let (field, value) = try reader.readField()
            switch (field, value) {
            case (1, .varint(let raw)): isString = raw == 1
            case (2, .varint(let raw)): number = Int64(Int32(truncatingIfNeeded: raw))
            case (3, .bytes(let part)): string = text(part)
            default: break
            }
        }
        return isString ? .string(string) : .integer(number)
    }

    private func decodeRaw(_ range: Range<Int>) throws(ProtobufError) -> JSON {
        var reader = ProtobufReader(bytes, in: range)
        var raw: Range<Int> = range.lowerBound..<range.lowerBound
        while !reader.isAtEnd {
            let (number, value) = try reader.readField()
            if number == 1, case .bytes(let part) = value { raw = part }
        }
        if raw.isEmpty { return .null }
        do {
            return try JSON.parse(Bytes(bytes[raw]))
        } catch {
            throw ProtobufError("embedded JSON: \(error.message)")
        }
    }
}
