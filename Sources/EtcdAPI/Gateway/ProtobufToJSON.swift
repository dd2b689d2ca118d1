import Basics
import Documents
import EtcdMessages

/// Turns answers into the JSON of etcd's gateway: names of the proto file, 64-bit numbers as
/// strings, bytes as base64, and nothing for what is zero or empty.
struct ProtobufToJSON {
    private let schema = GatewaySchema.etcd

    func decode(_ bytes: Bytes, as message: Int) throws(DecodingFailure) -> JSON {
        var reader = ProtobufReader(bytes, schema.messages[message].name)
        return try decode(&reader, message)
    }

    private func decode(
        _ reader: inout ProtobufReader, _ index: Int
    ) throws(DecodingFailure) -> JSON {
        let message = schema.messages[index]
        var object = JSONObject()
        // Elements are gathered apart, so that a long list is not copied for each of them.
        var lists: [Int: [JSON]] = [:]
        while let number = try reader.next() {
            guard let field = message.field(number: number) else {
                try reader.skip()
                continue
            }
            let value = try value(&reader, field)
            guard field.isRepeated else {
                object[field.name] = value
                continue
            }
            if lists[number] == nil { object[field.name] = .null }
            lists[number, default: []].append(value)
        }
        for field in message.fields {
            if let list = lists[field.number] { object[field.name] = .array(list) }
        }
        return .object(object)
    }

    private func value(
        _ reader: inout ProtobufReader, _ field: GatewaySchema.Field
    ) throws(DecodingFailure) -> JSON {
        switch field.type {
        case .bytes: return .string(Base64.encode(try reader.bytes()))
        // Users and roles may have names from a time when any bytes were taken.
        case .string: return .string(String(decoding: try reader.bytes(), as: UTF8.self))
        case .bool: return .bool(try reader.bool())
        case .int64: return .string(String(try reader.signed()))
        case .uint64: return .string(String(try reader.unsigned()))
        case .uint32: return .integer(Int64(UInt32(truncatingIfNeeded: try reader.unsigned())))
        case .enumeration(let index):
            let number = try reader.unsigned()
            let names = schema.enumerations[index].values
            return number < UInt64(names.count)
                ? .string(names[Int(number)]) : .integer(Int64(bitPattern: number))
        case .message(let index):
            var inner = try reader.message(schema.messages[index].name)
            return try decode(&inner, index)
        }
    }
}
