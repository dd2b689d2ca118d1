import Basics

/// Reads the packed tables that tools/make-schema writes, once, at first use.
///
/// Lines: `#package`, `=Message`, and fields as words: name, number, type, flags. Types: `s`
/// string, `i` int32, `l` int64, `b` bool, `d` double, `y` bytes, `.Name` a message of the same
/// package, else a full name; `*` in front is repeated, `%` a map. Flags: `n` inline, `p` keeps
/// zero, `r` required, `L` list type, `K` list keys, `T` map type, `P` patch strategies, `M` merge
/// key, `D` default. A line that begins with `+` has more flags of the field before.
struct SchemaParser {
    private struct Draft {
        var name: String
        var fields: [(field: SchemaField, type: String)] = []
    }

    private static let special: [String: SchemaType] = [
        "s": .string, "i": .int32, "l": .int64, "b": .bool, "d": .double, "y": .bytes,
        "apimachinery.pkg.api.resource.Quantity": .quantity,
        "apimachinery.pkg.apis.meta.v1.Time": .time,
        "apimachinery.pkg.apis.meta.v1.MicroTime": .microTime,
        "apimachinery.pkg.util.intstr.IntOrString": .intOrString,
        "apimachinery.pkg.runtime.RawExtension": .raw,
        "apimachinery.pkg.apis.meta.v1.FieldsV1": .raw,
    ]

    static func parse(_ data: StaticString) -> [SchemaMessage] {
        var drafts: [Draft] = []
        var package = ""
        let text = data.withUTF8Buffer { unsafe Bytes($0) }
        for line in text.split(separator: 0x0a) {
            let rest = String(decoding: line.dropFirst(), as: UTF8.self)
            switch line.first {
            case UInt8(ascii: "#"): package = rest
            case UInt8(ascii: "="): drafts.append(Draft(name: "\(package).\(rest)"))
            case UInt8(ascii: "+"):
                let message = drafts.count - 1
                let field = drafts[message].fields.count - 1
                parseFlags(words(line)[1...], into: &drafts[message].fields[field].field)
            default: drafts[drafts.count - 1].fields.append(parseField(line, package))
            }
        }
        return link(drafts)
    }

    private static func parseField(
        _ line: ArraySlice<UInt8>, _ package: String
    ) -> (SchemaField, String) {
        let words = words(line)
        var type = words[2]
        var cardinality = SchemaField.Cardinality.single
        if type.hasPrefix("*") { cardinality = .repeated }
        if type.hasPrefix("%") { cardinality = .map }
        if cardinality != .single { type.removeFirst() }
        if type.hasPrefix(".") { type = package + type }
        var field = SchemaField(
            name: words[0], number: Int(words[1]) ?? 0, cardinality: cardinality, type: .string)
        parseFlags(words[3...], into: &field)
        return (field, type)
    }

    private static func words(_ line: ArraySlice<UInt8>) -> [String] {
        line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func parseFlags(_ words: ArraySlice<String>, into field: inout SchemaField) {
        for word in words {
            let value = String(word.dropFirst())
            switch word.utf8.first {
            case UInt8(ascii: "n"): field.isInline = true
            case UInt8(ascii: "p"): field.keepsZero = true
            case UInt8(ascii: "r"): field.isRequired = true
            case UInt8(ascii: "L"): field.listType = value
            case UInt8(ascii: "K"): field.listKeys = split(value)
            case UInt8(ascii: "T"): field.mapType = value
            case UInt8(ascii: "P"): field.patchStrategies = split(value)
            case UInt8(ascii: "M"): field.mergeKey = value
            case UInt8(ascii: "D"): field.defaultValue = value
            default: preconditionFailure("schema tables: flag \(word)")
            }
        }
    }

    private static func split(_ list: String) -> [String] {
        list.split(separator: ",").map(String.init)
    }

    /// Replaces type names by indexes, and inline messages by their fields.
    private static func link(_ drafts: [Draft]) -> [SchemaMessage] {
        var indexes: [String: Int] = [:]
        for (index, draft) in drafts.enumerated() { indexes[draft.name] = index }
        var messages = drafts.map { draft in
            SchemaMessage(
                name: draft.name,
                fields: draft.fields.map { entry in
                    var field = entry.field
                    if let type = special[entry.type] {
                        field.type = type
                    } else if let index = indexes[entry.type] {
                        field.type = .message(index)
                    } else {
                        preconditionFailure("schema tables: type \(entry.type)")
                    }
                    return field
                })
        }
        for index in messages.indices {
            messages[index].setProperties(flatten(messages[index].fields, messages))
        }
        return messages
    }

    private static func flatten(
        _ fields: [SchemaField], _ messages: [SchemaMessage]
    ) -> [SchemaField] {
        fields.flatMap { field in
            guard field.isInline, case .message(let index) = field.type else { return [field] }
            return flatten(messages[index].fields, messages)
        }
    }
}
