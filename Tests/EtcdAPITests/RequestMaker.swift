import Basics
import EtcdAPI

/// Makes requests of any shape that etcd's messages have, from a seed: fields absent, at the ends
/// of their types, of the wrong wire type, nested deep, cut short.
struct RequestMaker {
    private var random: SeededRandom
    private let schema = GatewaySchema.etcd
    private static let depthMax = 4

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    private mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
    mutating func isOdd() -> Bool { below(2) == 1 }

    // MARK: Protobuf

    mutating func protobuf(_ message: Int) -> Bytes {
        var bytes = encode(message, 0)
        switch below(12) {
        case 0 where !bytes.isEmpty: bytes.removeLast(below(bytes.count) + 1)
        case 1 where !bytes.isEmpty: bytes[below(bytes.count)] = UInt8(below(256))
        case 2: bytes += (0..<below(20)).map { _ in UInt8(below(256)) }
        default: break
        }
        return bytes
    }

    private mutating func encode(_ index: Int, _ depth: Int) -> Bytes {
        var writer = ByteWriter(reserving: 64)
        for field in schema.messages[index].fields {
            var count = below(3)
            if field.isRepeated, below(4) == 0 { count = below(140) }
            if case .message = field.type { count = depth < Self.depthMax ? min(count, 3) : 0 }
            for _ in 0..<count { encode(field, depth, to: &writer) }
        }
        return writer.bytes
    }

    private mutating func encode(
        _ field: GatewaySchema.Field, _ depth: Int, to writer: inout ByteWriter
    ) {
        if below(60) == 0 {
            // Another wire type than the field's.
            writer.writeVarint(UInt64(field.number << 3 | [0, 1, 2, 5, 3, 7][below(6)]))
            writer.write(Bytes(repeating: UInt8(below(4)), count: below(10)))
            return
        }
        switch field.type {
        case .bytes, .string:
            writer.writeVarint(UInt64(field.number << 3 | 2))
            writer.writeCounted(key())
        case .message(let inner):
            writer.writeVarint(UInt64(field.number << 3 | 2))
            writer.writeCounted(encode(inner, depth + 1))
        case .bool, .enumeration, .int64, .uint64, .uint32:
            writer.writeVarint(UInt64(field.number << 3))
            writer.writeVarint(UInt64(bitPattern: number(field.type)))
        }
    }

    private mutating func number(_ type: GatewaySchema.FieldType) -> Int64 {
        let known: [Int64] = [0, 1, 2, 3, 4, 5, -1, 7, 100, .max, .min, .max - 1, 1 << 31, 1 << 32]
        switch type {
        case .bool: return below(20) == 0 ? 2 : Int64(below(2))
        case .enumeration(let index) where below(10) > 0:
            return Int64(below(schema.enumerations[index].values.count))
        default: return known[below(known.count)]
        }
    }

    /// Few keys, so that requests meet what others left.
    private mutating func key() -> Bytes {
        switch below(14) {
        case 0: return []
        case 1: return [0]
        case 2: return Bytes(repeating: 0x61, count: 5_000)
        case 3: return [0xff, 0xfe, 0x00, 0x80]
        case 4: return Bytes("https://127.0.0.1:2380".utf8)
        case 5: return Bytes("3.5".utf8)
        default: return [UInt8(0x61 + below(6))]
        }
    }

    // MARK: JSON

    mutating func json(_ message: Int) -> String {
        var text = object(message, 0)
        switch below(15) {
        case 0: text.removeLast(min(text.count, below(5) + 1))
        case 1: text = ["[]", "null", "1", "\"x\"", "", "{", "{}}", "{\"a\":}"][below(8)]
        case 2: text = String(repeating: "{\"success\":[", count: 3_000)
        default: break
        }
        return text
    }

    private mutating func object(_ index: Int, _ depth: Int) -> String {
        var parts: [String] = []
        for field in schema.messages[index].fields where below(3) > 0 {
            let name = isOdd() ? field.name : field.jsonName
            var value = self.value(field, depth)
            if field.isRepeated, below(8) > 0 {
                value = "[" + Array(repeating: value, count: below(4)).joined(separator: ",") + "]"
            }
            parts.append("\"\(name)\":\(value)")
        }
        if below(10) == 0 { parts.append("\"nobody\":[1,{\"a\":null}]") }
        return "{" + parts.joined(separator: ",") + "}"
    }

    private mutating func value(_ field: GatewaySchema.Field, _ depth: Int) -> String {
        if below(15) == 0 {
            return [
                "null", "true", "1.5", "-1e400", "\"%%\"", "{}", "[]", "\"\\ud800\"",
                "99999999999999999999", "\"NaN\"", "[[[]]]",
            ][below(11)]
        }
        switch field.type {
        case .bytes:
            return ["\"\"", "\"YQ==\"", "\"Yg\"", "\"AA==\"", "\"_-8=\"", "\"Yw==\""][below(6)]
        case .string: return ["\"\"", "\"a\"", "\"3.5\"", "\"http://127.0.0.1:1\""][below(4)]
        case .bool: return isOdd() ? "true" : "false"
        case .int64, .uint64, .uint32:
            let number = number(field.type)
            return isOdd() ? "\(number)" : "\"\(number)\""
        case .enumeration(let index):
            let values = schema.enumerations[index].values
            return isOdd() ? "\"\(values[below(values.count)])\"" : "\(below(9) - 2)"
        case .message(let inner):
            return depth < Self.depthMax ? object(inner, depth + 1) : "{}"
        }
    }
}
