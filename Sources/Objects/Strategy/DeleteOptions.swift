package import Documents

/// `meta/v1 DeleteOptions`, from the body or the query of a DELETE.
package struct DeleteOptions: Sendable, Hashable {
    package enum Propagation: String, Sendable, Hashable {
        case orphan = "Orphan"
        case background = "Background"
        case foreground = "Foreground"
    }

    package var gracePeriodSeconds: Int64?
    /// nil: the kind's default, or what the object's finalizers say.
    package var propagation: Propagation?
    package var preconditionUID: String?
    package var preconditionResourceVersion: String?
    package var isDryRun = false

    package init() {}

    /// Reads a decoded body; `json` may be `.null` for an empty one.
    package init(_ json: JSON) throws(APIError) {
        gracePeriodSeconds = json["gracePeriodSeconds"]?.intValue
        preconditionUID = json.path("preconditions", "uid")?.stringValue
        preconditionResourceVersion = json.path("preconditions", "resourceVersion")?.stringValue
        isDryRun = json["dryRun"]?.elements.isEmpty == false
        try setDryRun(json["dryRun"]?.elements.compactMap(\.stringValue) ?? [])
        let orphans = json["orphanDependents"]?.boolValue
        let policy = json["propagationPolicy"]?.stringValue
        if orphans != nil, policy != nil {
            throw Self.invalid(
                .invalid(
                    "propagationPolicy", policy ?? "",
                    "orphanDependents and deletionPropagation cannot be both set"))
        }
        if let orphans { propagation = orphans ? .orphan : .background }
        if let policy { try setPropagation(policy) }
    }

    /// Checks the texts of `propagationPolicy`.
    package mutating func setPropagation(_ policy: String) throws(APIError) {
        guard let value = Propagation(rawValue: policy) else {
            throw Self.invalid(
                .notSupported(
                    "propagationPolicy", policy, ["Foreground", "Background", "Orphan", "nil"]))
        }
        propagation = value
    }

    /// Checks the texts of `dryRun`.
    package mutating func setDryRun(_ values: [String]) throws(APIError) {
        for value in values where value != "All" {
            throw Self.invalid(.notSupported("dryRun", value, ["All"]))
        }
        isDryRun = !values.isEmpty
    }

    private static func invalid(_ error: FieldError) -> APIError {
        APIError(
            code: 422, reason: "Invalid",
            message: "DeleteOptions.meta.k8s.io \"\" is invalid: \(error.description)",
            details: [
                "group": "meta.k8s.io", "kind": "DeleteOptions",
                "causes": [
                    [
                        "reason": .string(error.reason.rawValue),
                        "message": .string(error.message), "field": .string(error.field),
                    ]
                ],
            ])
    }
}

/// What a DELETE does to the stored object.
package enum DeleteDecision: Sendable, Hashable {
    /// The key goes at once.
    case remove
    /// The object stays, marked; whoever waits for it (kubelet, finalizers) ends it.
    case update(JSON)
    /// It is marked already and nothing changes.
    case unchanged
}
