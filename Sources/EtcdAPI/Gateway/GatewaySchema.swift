/// The shapes of etcd's messages, for turning JSON into protobuf and back.
///
/// Made once from `GatewaySchema.text`; messages and enumerations refer to each other by index.
package struct GatewaySchema: Sendable {
    package enum FieldType: Sendable, Hashable {
        case bytes, string, bool
        /// 64 bits go as strings in JSON, 32 bits as numbers.
        case int64, uint64, uint32
        case enumeration(Int)
        case message(Int)
    }

    package struct Field: Sendable {
        /// As in the proto file, which is what answers have; requests may also have `jsonName`.
        package var name: String
        package var jsonName: String
        package var number: Int
        package var type: FieldType
        package var isRepeated: Bool
    }

    package struct Message: Sendable {
        package var name: String
        package var fields: [Field]

        func field(_ name: String) -> Field? {
            fields.first { $0.name == name || $0.jsonName == name }
        }

        func field(number: Int) -> Field? { fields.first { $0.number == number } }
    }

    package struct Enumeration: Sendable {
        /// By number, from 0.
        package var values: [String]
    }

    package private(set) var messages: [Message] = []
    package private(set) var enumerations: [Enumeration] = []
    private var places: [String: FieldType] = [:]

    package static let etcd = GatewaySchema(text)

    /// Lines are `Name field:number:type …` with `*` before the type of a repeated field, or
    /// `Name = VALUE VALUE …`.
    init(_ text: String) {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        for words in lines {
            if words.dropFirst().first == "=" {
                places[String(words[0])] = .enumeration(enumerations.count)
                enumerations.append(Enumeration(values: words.dropFirst(2).map(String.init)))
            } else {
                places[String(words[0])] = .message(messages.count)
                messages.append(Message(name: String(words[0]), fields: []))
            }
        }
        for words in lines where words.dropFirst().first != "=" {
            guard case .message(let index)? = places[String(words[0])] else { continue }
            messages[index].fields = words.dropFirst().map { field($0) }
        }
    }

    /// The index of a message. The name is one of this program's own.
    package func message(_ name: String) -> Int {
        guard case .message(let index)? = places[name] else {
            preconditionFailure("no message \(name) in the schema")
        }
        return index
    }

    private func field(_ text: Substring) -> Field {
        let parts = text.split(separator: ":")
        precondition(parts.count == 3, "bad field \(text)")
        guard let number = Int(parts[1]) else { preconditionFailure("bad number in \(text)") }
        let isRepeated = parts[2].first == "*"
        let name = String(parts[0])
        return Field(
            name: name, jsonName: lowerCamelCase(name), number: number,
            type: type(isRepeated ? parts[2].dropFirst() : parts[2]), isRepeated: isRepeated)
    }

    private func type(_ text: Substring) -> FieldType {
        switch text {
        case "bytes": return .bytes
        case "string": return .string
        case "bool": return .bool
        case "int64": return .int64
        case "uint64": return .uint64
        case "uint32": return .uint32
        default:
            guard let place = places[String(text)] else {
                preconditionFailure("no type \(text) in the schema")
            }
            return place
        }
    }

    /// `range_end` as `rangeEnd`, the name that protobuf's JSON gives it.
    private func lowerCamelCase(_ name: String) -> String {
        let words = name.split(separator: "_")
        return words.dropFirst().reduce(String(words.first ?? "")) { text, word in
            text + word.prefix(1).uppercased() + word.dropFirst()
        }
    }
}
