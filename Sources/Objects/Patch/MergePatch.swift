package import Documents

/// RFC 7386.
package enum MergePatch {
    package static func apply(_ patch: JSON, to document: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var result = JSONObject()
        if case .object(let object) = document { result = object }
        for key in changes.keys {
            guard let change = changes[key] else { continue }
            if case .null = change {
                result[key] = nil
            } else {
                result[key] = apply(change, to: result[key] ?? .null)
            }
        }
        return .object(result)
    }
}
