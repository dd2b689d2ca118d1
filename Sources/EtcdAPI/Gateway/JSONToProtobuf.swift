import Basics
import Documents
import EtcdMessages

/// What a request's JSON has that its message has not.
struct GatewayError: Error, Sendable {
    var message: String
}

/// Turns requests of the JSON gateway into protobuf, as protobuf's JSON mapping has it: bytes are
/// base64, 64-bit numbers may be strings, enumerations are names or numbers, fields have their
/// own or their camel-case name, and unknown ones are passed over.
struct JSONToProtobuf {
    private let schema = GatewaySchema.etcd

    func encode(_ json: JSON, as message: Int) throws(GatewayError) -> Bytes {
        var writer = ProtobufWriter()
        try encode(json, message, "", &writer)
        return writer.bytes
    }

    private func encode(
        _ json: JSON, _ index: Int, _ path: String, _ writer: inout ProtobufWriter
    ) throws(GatewayError) {
        let message = schema.messages[index]
        guard case .object(let object) = json else {
            throw GatewayError(
                message: path.isEmpty
                    ? "the body is not a JSON object" : "\(path) is not a JSON object")
        }
        for member in object {
            guard let field = message.field(member.key), member.value != .null else { continue }
            let path = path.isEmpty ? member.key : "\(path).\(member.key)"
            guard field.isRepeated else {
                try encode(member.value, field, path, &writer)
                continue
            }
            guard case .array(let elements) = member.value else {
                throw GatewayError(message: "\(path) is not an array")
            }
            for (position, element) in elements.enumerated() {
                try encode(element, field, "\(path)[\(position)]", &writer)
            }
        }
    }

    private func encode(
        _ json: JSON, _ field: GatewaySchema.Field, _ path: String,
        _ writer: inout ProtobufWriter
    ) throws(GatewayError) {
        switch field.type {
        case .message(let index):
            var inner = ProtobufWriter()
            try encode(json, index, path, &inner)
            writer.writeElement(field.number, inner.bytes)
        case .string:
            guard case .string(let text) = json else {
                throw GatewayError(message: "\(path) is not a string")
            }
            if field.isRepeated {
                writer.writeElement(field.number, Bytes(text.utf8))
            } else {
                writer.write(field.number, text)
            }
        case .bytes: writer.write(field.number, try Self.bytes(json, path))
        case .bool:
            guard case .bool(let value) = json else {
                throw GatewayError(message: "\(path) is not true or false")
            }
            writer.write(field.number, value)
        case .int64: writer.write(field.number, try number(json, path) as Int64)
        case .uint64: writer.write(field.number, try number(json, path) as UInt64)
        case .uint32: writer.write(field.number, UInt64(try number(json, path) as UInt32))
        case .enumeration(let index):
            let value = UInt64(try enumeration(json, schema.enumerations[index], path))
            // An element of a repeated field counts even if it is the first name.
            if field.isRepeated {
                writer.writeElement(field.number, [UInt8(truncatingIfNeeded: value)])
            } else {
                writer.write(field.number, value)
            }
        }
    }

    private static func bytes(_ json: JSON, _ path: String) throws(GatewayError) -> Bytes {
        guard case .string(let text) = json else {
            throw GatewayError(message: "\(path) is not a base64 string")
        }
        switch Base64.decode(text) {
        case .success(let bytes): return bytes
        case .failure(let error): throw GatewayError(message: "\(path): \(error.description)")
        }
    }

    private func number<Number: FixedWidthInteger>(
        _ json: JSON, _ path: String
    ) throws(GatewayError) -> Number {
        let value: Number? =
            switch json {
            case .string(let text): Number(text)
            case .integer(let value): Number(exactly: value)
            case .double(let value): Number(exactly: value)
            default: nil
            }
        guard let value else { throw GatewayError(message: "\(path) is not a \(Number.self)") }
        return value
    }

    private func enumeration(
        _ json: JSON, _ enumeration: GatewaySchema.Enumeration, _ path: String
    ) throws(GatewayError) -> Int {
        switch json {
        case .string(let name):
            if let value = enumeration.values.firstIndex(of: name) { return value }
        case .integer(let value) where value >= 0 && value < 128: return Int(value)
        default: break
        }
        throw GatewayError(
            message: "\(path) is none of \(enumeration.values.joined(separator: ", "))")
    }
}
