package import Documents
package import Basics

/// What to do about fields that the schema does not know and keys given twice.
package enum FieldValidation: String, Sendable, Hashable {
    case ignore = "Ignore"
    case warn = "Warn"
    case strict = "Strict"
}

/// A request's body as JSON in the form of the schema, whatever it came as.
package enum RequestBody {
    package static let mediaTypes = [
        "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
    ]

    /// A body that holds an object of this kind.
    package static func decode(
        contentType: String, _ body: Bytes, expected kind: ResourceKind,
        fieldValidation: FieldValidation = .warn
    ) throws(APIError) -> (json: JSON, warnings: [String]) {
        try decode(
            contentType: contentType, body, apiVersion: kind.apiVersion, kind: kind.kind,
            fieldValidation: fieldValidation)
    }

    /// A body that holds an object of a kind that is not stored: Binding, Scale, DeleteOptions …
    package static func decode(
        contentType: String, _ body: Bytes, apiVersion: String, kind: String,
        fieldValidation: FieldValidation = .warn
    ) throws(APIError) -> (json: JSON, warnings: [String]) {
        let raw = try parse(contentType: contentType, body, kind: kind)
        return try conform(
            raw.json, apiVersion: apiVersion, kind: kind, fieldValidation: fieldValidation,
            duplicates: raw.duplicates)
    }

    /// The body of a DELETE, which may be empty and comes under several API versions.
    package static func decodeDeleteOptions(
        contentType: String, _ body: Bytes
    ) throws(APIError) -> DeleteOptions {
        if body.isEmpty { return DeleteOptions() }
        var raw = try parse(contentType: contentType, body, kind: "DeleteOptions").json
        raw["apiVersion"] = nil
        let decoded = try conform(
            raw, apiVersion: "v1", kind: "DeleteOptions", fieldValidation: .ignore)
        return try DeleteOptions(decoded.json)
    }

    /// Checks and normalises JSON that did not come as a body, such as the result of a patch.
    package static func conform(
        _ json: JSON, expected kind: ResourceKind, fieldValidation: FieldValidation = .warn,
        duplicates: [String] = []
    ) throws(APIError) -> (json: JSON, warnings: [String]) {
        try conform(
            json, apiVersion: kind.apiVersion, kind: kind.kind, fieldValidation: fieldValidation,
            duplicates: duplicates)
    }

    private static func conform(
        _ json: JSON, apiVersion: String, kind: String, fieldValidation: FieldValidation,
        duplicates: [String] = []
    ) throws(APIError) -> (json: JSON, warnings: [String]) {
        guard let message = Schema.message(apiVersion: apiVersion, kind: kind) else {
            throw .internalError("no schema for \(apiVersion), kind \(kind)")
        }
        try checkType(json, apiVersion: apiVersion, kind: kind)
        let version = apiVersion.split(separator: "/").last.map(String.init) ?? ""
        let subject = "\(kind) in version \"\(version)\" cannot be handled as a \(kind)"
        var json = json
        var faults: [String] = []
        do throws(TypeMismatch) {
            try Conformance.conform(&json, to: message, unknownFields: &faults)
        } catch {
            throw .badRequest("\(subject): \(error.message)")
        }
        json["apiVersion"] = .string(apiVersion)
        json["kind"] = .string(kind)
        faults += duplicates.map { "duplicate field \"\($0)\"" }
        switch fieldValidation {
        case .ignore: return (json, [])
        case .warn: return (json, faults)
        case .strict where faults.isEmpty: return (json, [])
        case .strict:
            throw .badRequest(
                "\(subject): strict decoding error: " + faults.joined(separator: ", "))
        }
    }

    /// `kind` and `apiVersion` may be missing, but not be those of something else.
    private static func checkType(
        _ json: JSON, apiVersion: String, kind: String
    ) throws(APIError) {
        guard json.objectValue != nil else {
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(kind)): "
                    + "couldn't get version/kind; json parse error: the body is not an object "
                    + "(\(summary(json.bytes())))")
        }
        for key in ["kind", "apiVersion"] {
            guard let value = json[key], value != .null, value.stringValue == nil else { continue }
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(kind)): couldn't get "
                    + "version/kind; json parse error: json: cannot unmarshal \(value) into Go "
                    + "struct field .\(key) of type string (\(summary(json.bytes())))")
        }
        let givenVersion = json["apiVersion"]?.stringValue ?? ""
        let givenKind = json["kind"]?.stringValue ?? ""
        let version = givenVersion.isEmpty ? apiVersion : givenVersion
        let name = givenKind.isEmpty ? kind : givenKind
        if version == apiVersion, name == kind { return }
        if name == kind, Kinds.all.contains(where: { $0.apiVersion == version }) {
            throw .badRequest(
                "the API version in the data (\(version)) does not match the expected API version "
                    + "(\(apiVersion))")
        }
        let short = version.split(separator: "/").last.map(String.init) ?? ""
        let known = Kinds.find(apiVersion: version, kind: name) != nil
        let reason =
            known
            ? "converting (\(short).\(name)) to (\(kind)): unknown conversion"
            : "no kind \"\(name)\" is registered for version \"\(version)\" in scheme"
        throw .badRequest(
            "\(name) in version \"\(short)\" cannot be handled as a \(kind): \(reason)")
    }

    private static func parse(
        contentType: String, _ body: Bytes, kind: String
    ) throws(APIError) -> (json: JSON, duplicates: [String]) {
        let mediaType = String(contentType.prefix { $0 != ";" }).filter { $0 != " " }.lowercased()
        var duplicates: [String] = []
        switch mediaType {
        case "", "application/json":
            do {
                return (try JSON.parse(body, duplicates: &duplicates), duplicates)
            } catch {
                throw unrecognized(kind, "json parse error: \(error.message)", body)
            }
        case "application/yaml":
            do {
                return (try YAML.parse(body, duplicates: &duplicates), duplicates)
            } catch {
                throw unrecognized(kind, "yaml parse error: \(error.message)", body)
            }
        case "application/vnd.kubernetes.protobuf": return (try decodeProtobuf(body, kind), [])
        default: throw .unsupportedMediaType(mediaTypes)
        }
    }

    private static func decodeProtobuf(_ body: Bytes, _ expected: String) throws(APIError) -> JSON {
        let envelope: ProtobufEnvelope
        do {
            envelope = try ProtobufEnvelope(body)
        } catch {
            throw unrecognized(expected, error.description, body)
        }
        let version = envelope.apiVersion
        guard
            let message = Schema.message(apiVersion: version, kind: envelope.kind)
                ?? Schema.message(apiVersion: "v1", kind: envelope.kind)
        else {
            throw .badRequest(
                "\(envelope.kind) in version \"\(version)\" cannot be handled as a \(expected): "
                    + "no kind \"\(envelope.kind)\" is registered for version \"\(version)\" "
                    + "in scheme")
        }
        do {
            var json = try ProtobufDecoder.decode(body, in: envelope.raw, as: message)
            json["kind"] = .string(envelope.kind)
            json["apiVersion"] = .string(version)
            return json
        } catch {
            throw unrecognized(expected, error.description, body)
        }
    }

    private static func unrecognized(_ kind: String, _ reason: String, _ body: Bytes) -> APIError {
        .badRequest(
            "the object provided is unrecognized (must be of type \(kind)): couldn't get "
                + "version/kind; \(reason) (\(summary(body)))")
    }

    /// The beginning of a body that could not be read.
    private static func summary(_ body: Bytes) -> String {
        if body.isEmpty { return "<empty>" }
        let head = Bytes(body.prefix(30))
        let text = head.first == 0x7b ? String(decoding: head, as: UTF8.self) : head.hex
        return body.count > 30 ? text + " ..." : text
    }
}
