package import Documents
package import Basics

/// What the API does to an object between a request and the store: pure, time and names given.
///
/// - `prepareCreate`, `prepareUpdate`: defaults, system-owned fields, validation
/// - `prepareDelete`: grace, finalizers, propagation
package enum Strategy {
    /// The object to store for a create request.
    ///
    /// - Parameters:
    ///   - namespace: of the request's path; empty for kinds without.
    ///   - uid: a fresh one.
    ///   - nameSuffix: five fresh characters (`Names.suffix`), used with `generateName`.
    package static func prepareCreate(
        _ kind: ResourceKind, _ json: JSON, namespace: String, now: WallTime, uid: String,
        nameSuffix: String
    ) throws(APIError) -> JSON {
        var json = json
        try Metadata.prepareCreate(
            kind, &json, namespace: namespace, now: now, uid: uid, nameSuffix: nameSuffix)
        clearStatus(kind, &json)
        if kind == .pod { Defaults.admitPod(&json) }
        Defaults.apply(kind, &json)
        initialize(kind, &json)
        let errors = Validation.validate(kind, json, old: nil)
        if !errors.isEmpty {
            throw .invalid(kind, json.path("metadata", "name")?.stringValue ?? "", errors)
        }
        return json
    }

    /// The object to store for an update of the object or of one subresource. When it equals
    /// `old.json`, nothing needs to be written.
    package static func prepareUpdate(
        _ kind: ResourceKind, old: Object, new: JSON, subresource: Subresource = .none,
        now: WallTime
    ) throws(APIError) -> JSON {
        var json = new
        try Metadata.prepareUpdate(kind, &json, old: old)
        switch subresource {
        case .status: keepAllButStatus(kind, &json, old: old.json)
        case .finalize: keepAllButFinalizers(&json, old: old.json)
        default: keepStatus(kind, &json, old: old.json)
        }
        Defaults.apply(kind, &json)
        carryOver(kind, &json, old: old.json)
        if subresource == .none { bumpGeneration(kind, &json, old: old) }
        let errors = Validation.validate(kind, json, old: old.json, subresource: subresource)
        if !errors.isEmpty { throw .invalid(kind, old.name, errors) }
        return json
    }

    /// Fills in what a client may leave out.
    package static func applyDefaults(_ kind: ResourceKind, _ json: inout JSON) {
        Defaults.apply(kind, &json)
    }

    package static func validate(
        _ kind: ResourceKind, _ json: JSON, old: JSON? = nil
    ) -> [FieldError] {
        Validation.validate(kind, json, old: old)
    }
}
