import Documents
import Basics

/// A value whose type is not the schema's, worded as Go's decoder words it.
struct TypeMismatch: Error {
    let message: String
}

/// Brings a document into the form in which Go's types would write it, so that the same object has
/// the same JSON whatever it came as: unknown fields go, nulls go, optional zeros go, quantities
/// and times get their canonical text.
struct Conformance {
    private enum Step {
        case key(String)
        case index(Int)
    }

    private var path: [Step] = []
    /// `unknown field "spec.foo"`, in document order.
    private(set) var unknownFields: [String] = []

    static func conform(
        _ json: inout JSON, to message: SchemaMessage, unknownFields: inout [String]
    ) throws(TypeMismatch) {
        var pass = Conformance()
        try pass.conform(&json, message, owner: nil)
        unknownFields = pass.unknownFields
    }

    private var fieldPath: String {
        var text = ""
        for step in path {
            switch step {
            case .key(let key): text += text.isEmpty ? key : "." + key
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }

    /// The path as Go's type errors have it: without indexes.
    private var goPath: String {
        var keys: [String] = []
        for step in path { if case .key(let key) = step { keys.append(key) } }
        return keys.joined(separator: ".")
    }

    private func mismatch(
        _ json: JSON, _ type: String, _ owner: SchemaMessage?
    ) -> TypeMismatch {
        let found =
            switch json {
            case .null: "null"
            case .bool: "bool"
            case .integer, .double: "number"
            case .string: "string"
            case .array: "array"
            case .object: "object"
            }
        guard let owner, !path.isEmpty else {
            return TypeMismatch(
                message: "json: cannot unmarshal \(found) into Go value of type \(type)")
        }
        return TypeMismatch(
            message: "json: cannot unmarshal \(found) into Go struct field "
                + "\(owner.shortName).\(goPath) of type \(type)")
    }

    private mutating func conform(
        _ json: inout JSON, _ message: SchemaMessage, owner: SchemaMessage?
    ) throws(TypeMismatch) {
        guard case .object(let object) = json else {
            throw mismatch(json, message.goName, owner)
        }
        json = .null
        var members: [JSONObject.Member] = []
        members.reserveCapacity(object.count)
        for member in object {
            if path.isEmpty || message.shortName == "DeleteOptions",
                member.key == "kind" || member.key == "apiVersion",
                message.property(member.key) == nil
            {
                members.append(member)
                continue
            }
            path.append(.key(member.key))
            defer { path.removeLast() }
            guard let field = message.property(member.key) else {
                if unknownFields.count < JSON.faultsMax {
                    unknownFields.append("unknown field \"\(fieldPath)\"")
                }
                continue
            }
            var value = member.value
            if value == .null, field.type != .raw || field.cardinality != .single { continue }
            try conform(&value, field, message)
            if Self.isLeftOut(value, field) { continue }
            members.append(JSONObject.Member(key: member.key, value: value))
        }
        json = .object(JSONObject(uniqueMembers: members))
    }

    /// Go's `omitempty`.
    private static func isLeftOut(_ value: JSON, _ field: SchemaField) -> Bool {
        if field.cardinality != .single {
            guard !field.isRequired else { return false }
            switch value {
            case .array(let elements): return elements.isEmpty
            case .object(let object): return object.isEmpty
            default: return false
            }
        }
        if field.keepsZero || field.isRequired { return false }
        switch value {
        case .string(let text): return text.isEmpty && field.type != .quantity
        case .integer(let number): return number == 0 && field.type != .intOrString
        case .bool(let flag): return !flag
        default: return false
        }
    }

    private mutating func conform(
        _ json: inout JSON, _ field: SchemaField, _ owner: SchemaMessage
    ) throws(TypeMismatch) {
        switch field.cardinality {
        case .single: try conformElement(&json, field, owner)
        case .repeated:
            guard case .array(var elements) = json else {
                throw mismatch(json, "[]" + Self.goType(field), owner)
            }
            json = .null
            for index in elements.indices {
                path.append(.index(index))
                if elements[index] == .null {
                    elements[index] = Self.zero(field)
                } else {
                    try conformElement(&elements[index], field, owner)
                }
                path.removeLast()
            }
            json = .array(elements)
        case .map:
            guard case .object(let object) = json else {
                throw mismatch(json, "map[string]" + Self.goType(field), owner)
            }
            json = .null
            var members = object.members
            for index in members.indices {
                path.append(.key(members[index].key))
                if members[index].value == .null {
                    members[index].value = Self.zero(field)
                } else {
                    try conformElement(&members[index].value, field, owner)
                }
                path.removeLast()
            }
            json = .object(JSONObject(uniqueMembers: members))
        }
    }

    /// What null stands for inside lists and maps.
    private static func zero(_ field: SchemaField) -> JSON {
        switch field.type {
        case .string, .bytes: ""
        case .int32, .int64, .intOrString: 0
        case .double: 0
        case .bool: false
        case .quantity: "0"
        case .time, .microTime, .raw: .null
        case .message: .object(JSONObject())
        }
    }

    private static func goType(_ field: SchemaField) -> String {
        switch field.type {
        case .string: "string"
        case .int32: "int32"
        case .int64: "int64"
        case .bool: "bool"
        case .double: "float64"
        case .bytes: "[]uint8"
        case .quantity: "resource.Quantity"
        case .time: "v1.Time"
        case .microTime: "v1.MicroTime"
        case .intOrString: "intstr.IntOrString"
        case .raw: "runtime.RawExtension"
        case .message(let index): Schema.messages[index].goName
        }
    }

    private mutating func conformElement(
        _ json: inout JSON, _ field: SchemaField, _ owner: SchemaMessage
    ) throws(TypeMismatch) {
        switch (field.type, json) {
        case (.string, .string), (.bool, .bool), (.int64, .integer), (.raw, _): return
        case (.int32, .integer(let value)), (.intOrString, .integer(let value)):
            guard Int32(exactly: value) != nil else {
                throw TypeMismatch(
                    message: "json: cannot unmarshal number \(value) into Go struct field "
                        + "\(owner.shortName).\(goPath) of type int32")
            }
        case (.intOrString, .string): return
        case (.double, .integer), (.double, .double): return
        case (.bytes, .string(let text)):
            if case .failure(let error) = Base64.decode(text) {
                throw TypeMismatch(message: error.description)
            }
        case (.quantity, .string), (.quantity, .integer), (.quantity, .double):
            try canonicalizeQuantity(&json)
        case (.time, .string(let text)), (.microTime, .string(let text)):
            try canonicalizeTime(&json, text, isMicro: field.type == .microTime)
        case (.message(let index), _): try conform(&json, Schema.messages[index], owner: owner)
        default: throw mismatch(json, Self.goType(field), owner)
        }
    }

    private func canonicalizeQuantity(_ json: inout JSON) throws(TypeMismatch) {
        let text = json.stringValue ?? json.description
        do throws(QuantityError) {
            json = .string(try Quantity.parse(text).canonical)
        } catch {
            throw TypeMismatch(message: error.rawValue)
        }
    }

    private func canonicalizeTime(
        _ json: inout JSON, _ text: String, isMicro: Bool
    ) throws(TypeMismatch) {
        guard let time = WallTime(rfc3339: text) else {
            let layout =
                isMicro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00"
            let quoted = FieldError.goQuoted(text)
            throw TypeMismatch(
                message:
                    "parsing time \(quoted) as \"\(layout)\": cannot parse \(quoted) as \"2006\"")
        }
        json = .string(isMicro ? time.rfc3339Micro : time.rfc3339)
    }
}
