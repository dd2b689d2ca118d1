import Documents
import Objects

/// The `resourceVersion` parameters of a list or watch, checked together as upstream does.
struct ResourceVersionOptions: Sendable {
    enum Match: String, Sendable {
        case exact = "Exact"
        case notOlderThan = "NotOlderThan"
    }

    /// nil: the newest state; 0: any state.
    var version: Int64?
    var match: Match?

    init(_ query: QueryParameters, isWatch: Bool) throws(APIError) {
        if let text = query["resourceVersion"] {
            version = try parsedResourceVersion(text)
        }
        if let text = query["resourceVersionMatch"] {
            guard let match = Match(rawValue: text) else {
                throw Self.invalid(
                    "resourceVersionMatch",
                    "Unsupported value: \"\(text)\": supported values: "
                        + "\"Exact\", \"NotOlderThan\", \"\"", "FieldValueNotSupported")
            }
            self.match = match
        }
        if isWatch {
            try checkWatch(query)
            return
        }
        if query.has("sendInitialEvents") {
            throw Self.invalid(
                "sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list",
                "FieldValueForbidden")
        }
        guard let match else { return }
        if query["continue"] != nil {
            throw Self.invalid(
                "resourceVersionMatch",
                "Forbidden: resourceVersionMatch is forbidden when continue is provided",
                "FieldValueForbidden")
        }
        guard version != nil else {
            throw Self.invalid(
                "resourceVersionMatch",
                "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
                "FieldValueForbidden")
        }
        if match == .exact, version == 0 {
            throw Self.invalid(
                "resourceVersionMatch",
                "Forbidden: resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"",
                "FieldValueForbidden")
        }
    }

    private func checkWatch(_ query: QueryParameters) throws(APIError) {
        let sendsInitial = query.has("sendInitialEvents")
        if sendsInitial, match == nil {
            throw Self.invalid(
                "resourceVersionMatch",
                "Forbidden: sendInitialEvents requires setting resourceVersionMatch to "
                    + "NotOlderThan",
                "FieldValueForbidden")
        }
        if !sendsInitial, match != nil {
            throw Self.invalid(
                "resourceVersionMatch",
                "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents "
                    + "is provided", "FieldValueForbidden")
        }
        if match == .exact {
            throw Self.invalid(
                "resourceVersionMatch",
                "Unsupported value: \"Exact\": supported values: \"NotOlderThan\"",
                "FieldValueNotSupported")
        }
    }

    private static func invalid(_ field: String, _ text: String, _ reason: String) -> APIError {
        APIError(
            code: 422, reason: "Invalid",
            message: "ListOptions.meta.k8s.io \"\" is invalid: \(field): \(text)",
            details: [
                "group": "meta.k8s.io", "kind": "ListOptions",
                "causes": [
                    ["reason": .string(reason), "message": .string(text), "field": .string(field)]
                ],
            ])
    }
}

/// A decimal number without sign or leading zeros.
func parsedResourceVersion(_ text: String) throws(APIError) -> Int64 {
    guard let number = Int64(text), number >= 0,
        text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else {
        throw .badRequest(
            "Invalid value: \"\(text)\": strconv.ParseUint: parsing \"\(text)\": invalid syntax")
    }
    return number
}
