package import Documents

/// One fault of an object, with the words and cause reasons of upstream's `field.Error`.
package struct FieldError: Sendable, Hashable {
    package enum Reason: String, Sendable, Hashable {
        case notFound = "FieldValueNotFound"
        case required = "FieldValueRequired"
        case duplicate = "FieldValueDuplicate"
        case invalid = "FieldValueInvalid"
        case notSupported = "FieldValueNotSupported"
        case forbidden = "FieldValueForbidden"
        case tooLong = "FieldValueTooLong"
        case tooMany = "FieldValueTooMany"
        case typeInvalid = "FieldValueTypeInvalid"
    }

    package var reason: Reason
    /// For example `spec.template.spec.containers[0].image`.
    package var field: String
    /// The text behind the field, for example `Required value`.
    package var message: String

    package init(_ reason: Reason, _ field: String, _ message: String) {
        self.reason = reason
        self.field = field
        self.message = message
    }

    package var description: String { "\(field): \(message)" }

    package static func required(_ field: String, _ detail: String = "") -> FieldError {
        FieldError(.required, field, join("Required value", detail))
    }

    package static func invalid(_ field: String, _ value: JSON, _ detail: String) -> FieldError {
        FieldError(.invalid, field, join("Invalid value: \(show(value))", detail))
    }

    package static func invalid(_ field: String, _ value: String, _ detail: String) -> FieldError {
        invalid(field, .string(value), detail)
    }

    package static func duplicate(_ field: String, _ value: JSON) -> FieldError {
        FieldError(.duplicate, field, "Duplicate value: \(show(value))")
    }

    package static func notSupported(
        _ field: String, _ value: String, _ supported: [String]
    ) -> FieldError {
        let list = supported.sorted().map { show(.string($0)) }.joined(separator: ", ")
        return FieldError(
            .notSupported, field,
            "Unsupported value: \(show(.string(value))): supported values: \(list)")
    }

    package static func forbidden(_ field: String, _ detail: String) -> FieldError {
        FieldError(.forbidden, field, join("Forbidden", detail))
    }

    package static func notFound(_ field: String, _ value: String) -> FieldError {
        FieldError(.notFound, field, "Not found: \(show(.string(value)))")
    }

    package static func tooLong(_ field: String, bytesMax: Int) -> FieldError {
        FieldError(.tooLong, field, "Too long: may not be more than \(bytesMax) bytes")
    }

    private static func join(_ text: String, _ detail: String) -> String {
        detail.isEmpty ? text : "\(text): \(detail)"
    }

    /// Values as upstream prints them: strings in Go's quotes, numbers plain, the rest as JSON.
    private static func show(_ value: JSON) -> String {
        switch value {
        case .string(let text): goQuoted(text)
        default: sorted(value).description
        }
    }

    /// Maps by key, as Go writes them; the members of a selector as its type has them.
    private static func sorted(_ value: JSON) -> JSON {
        switch value {
        case .array(let elements): return .array(elements.map(sorted))
        case .object(let object):
            var result = JSONObject()
            for key in object.keys.sorted(by: {
                $0 == "matchLabels" || $0 < $1 && $1 != "matchLabels"
            }) {
                result[key] = object[key].map(sorted)
            }
            return .object(result)
        default: return value
        }
    }

    static func goQuoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case let control where control.value < 0x20 || control.value == 0x7f:
                let digits = String(control.value, radix: 16)
                out += "\\x" + (digits.count < 2 ? "0" : "") + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
