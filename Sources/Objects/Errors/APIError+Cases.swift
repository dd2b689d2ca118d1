package import Documents

extension APIError {
    package static func notFound(_ kind: ResourceKind, _ name: String) -> APIError {
        APIError(
            code: 404, reason: "NotFound",
            message: "\(kind.qualifiedPlural) \"\(name)\" not found",
            details: details(kind, name: name, usesPlural: true))
    }

    /// A path that names nothing the server has.
    package static let unknownPath = APIError(
        code: 404, reason: "NotFound",
        message: "the server could not find the requested resource", details: [:])

    package static func alreadyExists(_ kind: ResourceKind, _ name: String) -> APIError {
        APIError(
            code: 409, reason: "AlreadyExists",
            message: "\(kind.qualifiedPlural) \"\(name)\" already exists",
            details: details(kind, name: name, usesPlural: true))
    }

    package static func conflict(
        _ kind: ResourceKind, _ name: String, _ cause: String = modifiedMessage
    ) -> APIError {
        APIError(
            code: 409, reason: "Conflict",
            message:
                "Operation cannot be fulfilled on \(kind.qualifiedPlural) \"\(name)\": "
                + cause,
            details: details(kind, name: name, usesPlural: true))
    }

    /// What a stale resource version is answered with.
    package static let modifiedMessage =
        "the object has been modified; please apply your changes to the latest version and try "
        + "again"

    package static func invalid(
        _ kind: ResourceKind, _ name: String, _ errors: [FieldError]
    ) -> APIError {
        var details = details(kind, name: name, usesPlural: false)
        details["causes"] = .array(
            errors.map { error in
                [
                    "reason": .string(error.reason.rawValue), "message": .string(error.message),
                    "field": .string(error.field),
                ]
            })
        var texts: [String] = []
        for error in errors where !texts.contains(error.description) {
            texts.append(error.description)
        }
        let list = texts.count == 1 ? texts[0] : "[" + texts.joined(separator: ", ") + "]"
        return APIError(
            code: 422, reason: "Invalid",
            message: "\(kind.qualifiedKind) \"\(name)\" is invalid: \(list)", details: details)
    }

    package static func badRequest(_ message: String) -> APIError {
        APIError(code: 400, reason: "BadRequest", message: message)
    }

    package static let unauthorized = APIError(
        code: 401, reason: "Unauthorized", message: "Unauthorized")

    /// `message` is the whole text; `forbidden(user:verb:…)` makes the one of the authorizer.
    package static func forbidden(_ message: String, details: JSON? = nil) -> APIError {
        APIError(code: 403, reason: "Forbidden", message: message, details: details)
    }

    /// A request that authorization refused.
    package static func forbidden(
        user: String, verb: String, group: String, resource: String, namespace: String,
        name: String, isNamespaced: Bool
    ) -> APIError {
        let scope =
            namespace.isEmpty ? "at the cluster scope" : "in the namespace \"\(namespace)\""
        let qualified = group.isEmpty ? resource : "\(resource).\(group)"
        let subject = name.isEmpty ? qualified : "\(qualified) \"\(name)\""
        var details: JSON = [:]
        if !name.isEmpty { details["name"] = .string(name) }
        if !group.isEmpty { details["group"] = .string(group) }
        details["kind"] = .string(resource)
        return APIError(
            code: 403, reason: "Forbidden",
            message: "\(subject) is forbidden: User \"\(user)\" cannot \(verb) resource "
                + "\"\(resource)\" in API group \"\(group)\" \(scope)",
            details: details)
    }

    /// Admission's refusal to create in a namespace that is going away.
    package static func namespaceTerminating(
        _ kind: ResourceKind, _ name: String, namespace: String
    ) -> APIError {
        var details = details(kind, name: name, usesPlural: true)
        details["causes"] = [
            [
                "reason": "NamespaceTerminating",
                "message": .string("namespace \(namespace) is being terminated"),
                "field": "metadata.namespace",
            ]
        ]
        return APIError(
            code: 403, reason: "Forbidden",
            message: "\(kind.qualifiedPlural) \"\(name)\" is forbidden: unable to create new "
                + "content in namespace \(namespace) because it is being terminated",
            details: details)
    }

    package static func methodNotAllowed(
        _ kind: ResourceKind? = nil, verb: String = ""
    ) -> APIError {
        guard let kind else {
            return APIError(
                code: 405, reason: "MethodNotAllowed",
                message: "the server does not allow this method on the requested resource",
                details: [:])
        }
        return APIError(
            code: 405, reason: "MethodNotAllowed",
            message: "\(verb) is not supported on resources of kind \"\(kind.qualifiedPlural)\"",
            details: details(kind, name: "", usesPlural: true))
    }

    package static func notAcceptable(_ accepted: [String]) -> APIError {
        APIError(
            code: 406, reason: "NotAcceptable",
            message: "only the following media types are accepted: "
                + accepted.joined(separator: ", "))
    }

    package static func unsupportedMediaType(_ supported: [String]) -> APIError {
        APIError(
            code: 415, reason: "UnsupportedMediaType",
            message: "the body of the request was in an unknown format - accepted media types "
                + "include: " + supported.joined(separator: ", "))
    }

    /// A resource version or continue token from before what the store remembers.
    package static func expired(_ message: String) -> APIError {
        APIError(code: 410, reason: "Expired", message: message)
    }

    package static func gone(_ message: String) -> APIError {
        APIError(code: 410, reason: "Gone", message: message)
    }

    /// A watch from revision `asked` when history begins after `oldest`.
    package static func tooOld(asked: Int64, oldest: Int64) -> APIError {
        expired("too old resource version: \(asked) (\(oldest))")
    }

    package static func tooLarge(_ message: String = "") -> APIError {
        APIError(
            code: 413, reason: "RequestEntityTooLarge",
            message: message.isEmpty
                ? "Request entity too large: limit is 3145728" : message)
    }

    package static func tooManyRequests(
        _ message: String, retryAfterSeconds: Int64 = 1
    ) -> APIError {
        APIError(
            code: 429, reason: "TooManyRequests", message: message,
            details: ["retryAfterSeconds": .integer(retryAfterSeconds)])
    }

    package static func internalError(_ message: String) -> APIError {
        APIError(
            code: 500, reason: "InternalError", message: "Internal error occurred: \(message)",
            details: ["causes": [["message": .string(message)]]])
    }

    package static func serviceUnavailable(_ message: String) -> APIError {
        APIError(code: 503, reason: "ServiceUnavailable", message: message)
    }

    package static func timeout(
        _ message: String, retryAfterSeconds: Int64 = 1, causes: JSON? = nil
    ) -> APIError {
        var details: JSON = ["retryAfterSeconds": .integer(retryAfterSeconds)]
        details["causes"] = causes
        return APIError(
            code: 504, reason: "Timeout", message: "Timeout: \(message)", details: details)
    }

    /// A list at a resource version that the store has not reached.
    package static func resourceVersionTooLarge(asked: Int64, current: Int64) -> APIError {
        timeout(
            "Too large resource version: \(asked), current: \(current)",
            causes: [
                ["reason": "ResourceVersionTooLarge", "message": "Too large resource version"]
            ])
    }
}
