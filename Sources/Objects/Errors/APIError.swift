package import Documents

/// An error as API clients get it: a `Status` object and its HTTP code.
package struct APIError: Error, Sendable, Hashable, CustomStringConvertible {
    package var code: Int
    /// What clients switch on, for example `NotFound`.
    package var reason: String
    package var message: String
    /// The `details` of the Status: name, group, kind, uid, causes, retryAfterSeconds.
    package var details: JSON?

    package init(code: Int, reason: String, message: String, details: JSON? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
    }

    package var description: String { message }

    /// The body of the answer.
    package var status: JSON {
        var json: JSON = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure",
            "message": .string(message),
        ]
        if !reason.isEmpty { json["reason"] = .string(reason) }
        json["details"] = details
        json["code"] = .integer(Int64(code))
        return json
    }

    /// Seconds after which a client may try again, for the `Retry-After` header.
    package var retryAfterSeconds: Int64? { details?["retryAfterSeconds"]?.intValue }

    /// The `Status` of a deletion that is done.
    package static func success(_ kind: ResourceKind, name: String, uid: String) -> JSON {
        var details = Self.details(kind, name: name, usesPlural: true)
        if !uid.isEmpty { details["uid"] = .string(uid) }
        return [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
            "details": details,
        ]
    }

    static func details(_ kind: ResourceKind, name: String, usesPlural: Bool) -> JSON {
        var details: JSON = [:]
        if !name.isEmpty { details["name"] = .string(name) }
        if !kind.group.isEmpty { details["group"] = .string(kind.group) }
        details["kind"] = .string(usesPlural ? kind.plural : kind.kind)
        return details
    }
}
