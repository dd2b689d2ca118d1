package import Documents

/// What strategic merge must know of a field: how its lists merge and what they hold.
package struct PatchField: Sendable {
    /// The elements of a list with this field equal are the same element.
    package var mergeKey: String?
    package var mergesList: Bool
    package var retainsKeys: Bool
    /// The message that the field, its elements or its map's values are; nil for scalars.
    package var message: String?
    package var isMap: Bool

    package init(
        mergeKey: String? = nil, mergesList: Bool = false, retainsKeys: Bool = false,
        message: String? = nil, isMap: Bool = false
    ) {
        self.mergeKey = mergeKey
        self.mergesList = mergesList
        self.retainsKeys = retainsKeys
        self.message = message
        self.isMap = isMap
    }
}

/// Kubernetes' strategic merge: a merge patch in which the schema says that some lists merge by
/// key, with `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`.
package struct StrategicMergePatch {
    /// The field of a message; nil when the message has no such field.
    package typealias Lookup = (_ message: String, _ field: String) -> PatchField?

    private static let directive = "$patch"
    private static let retainKeys = "$retainKeys"
    private static let orderPrefix = "$setElementOrder/"
    private static let deletePrefix = "$deleteFromPrimitiveList/"

    private let lookup: Lookup

    package init(lookup: @escaping Lookup) {
        self.lookup = lookup
    }

    package func apply(_ patch: JSON, to document: JSON, message: String) throws(PatchError) -> JSON
    {
        guard case .object(let changes) = patch else {
            throw PatchError(.malformed, "cannot restore slice from map")
        }
        var original = JSONObject()
        if case .object(let object) = document { original = object }
        return .object(try merge(changes, into: original, message: message))
    }

    private func merge(
        _ patch: JSONObject, into original: JSONObject, message: String?
    ) throws(PatchError) -> JSONObject {
        var patch = patch
        if let kind = patch[Self.directive] {
            patch[Self.directive] = nil
            switch kind.stringValue {
            case "replace"?: return patch
            case "delete"?: return JSONObject()
            case "merge"?: break
            default: throw Self.unknownDirective(kind, patch)
            }
        }
        var result = original
        if let kept = patch[Self.retainKeys] {
            patch[Self.retainKeys] = nil
            result = try retain(kept, of: result, patch)
        }
        for key in Array(patch.keys) where key.hasPrefix(Self.deletePrefix) {
            try deletePrimitives(
                String(key.dropFirst(Self.deletePrefix.count)), patch[key], &result)
        }
        for key in Array(patch.keys) where !isParallel(key) {
            guard let change = patch[key] else { continue }
            if case .null = change {
                result[key] = nil
                continue
            }
            let field = field(key, of: message)
            result[key] = try mergeValue(
                change, into: result[key], field, order: patch[Self.orderPrefix + key])
        }
        // An order without a list of changes still orders what is there.
        for key in Array(patch.keys) where key.hasPrefix(Self.orderPrefix) {
            let name = String(key.dropFirst(Self.orderPrefix.count))
            guard patch[name] == nil, case .array(let elements)? = result[name],
                let field = field(name, of: message), field.mergesList
            else { continue }
            result[name] = .array(
                Self.ordered(elements, original: elements, order: patch[key], field.mergeKey))
        }
        return result
    }

    private func isParallel(_ key: String) -> Bool {
        key.hasPrefix(Self.orderPrefix) || key.hasPrefix(Self.deletePrefix)
    }

    private func field(_ name: String, of message: String?) -> PatchField? {
        message.flatMap { lookup($0, name) }
    }

    private func mergeValue(
        _ change: JSON, into original: JSON?, _ field: PatchField?, order: JSON?
    ) throws(PatchError) -> JSON {
        switch change {
        case .object(let changes):
            var base = JSONObject()
            if case .object(let object)? = original { base = object }
            if let field, field.isMap, let message = field.message {
                return .object(try mergeMap(changes, into: base, message: message))
            }
            return .object(try merge(changes, into: base, message: field?.message))
        case .array(let changes):
            guard let field, field.mergesList else { return change }
            var base: [JSON] = []
            if case .array(let elements)? = original { base = elements }
            return .array(try mergeList(changes, into: base, field, order: order))
        default:
            return change
        }
    }

    private func mergeMap(
        _ changes: JSONObject, into original: JSONObject, message: String
    ) throws(PatchError) -> JSONObject {
        var result = original
        for key in changes.keys {
            switch changes[key] {
            case .null?: result[key] = nil
            case .object(let change)?:
                var base = JSONObject()
                if case .object(let object)? = result[key] { base = object }
                result[key] = .object(try merge(change, into: base, message: message))
            case let change?: result[key] = change
            case nil: break
            }
        }
        return result
    }

    private func retain(
        _ kept: JSON, of original: JSONObject, _ patch: JSONObject
    ) throws(PatchError) -> JSONObject {
        guard case .array(let names) = kept else {
            throw PatchError(.malformed, "invalid patch format of retainKeys")
        }
        let retained = Set(names.compactMap(\.stringValue))
        for key in patch.keys where !isParallel(key) && !retained.contains(key) {
            throw PatchError(.malformed, "invalid patch format of retainKeys")
        }
        var result = original
        for key in Array(original.keys) where !retained.contains(key) { result[key] = nil }
        return result
    }

    private func deletePrimitives(
        _ name: String, _ values: JSON?, _ result: inout JSONObject
    ) throws(PatchError) {
        guard case .array(let deleted)? = values else {
            throw PatchError(.malformed, "invalid patch format of primitive list")
        }
        guard case .array(let elements)? = result[name] else { return }
        result[name] = .array(elements.filter { !deleted.contains($0) })
    }

    private static func unknownDirective(_ kind: JSON, _ patch: JSONObject) -> PatchError {
        let shown = kind.stringValue ?? String(decoding: kind.bytes(), as: UTF8.self)
        return PatchError(.malformed, "unknown patch type found: \(shown)")
    }
}

// MARK: - Lists

extension StrategicMergePatch {
    private func mergeList(
        _ changes: [JSON], into original: [JSON], _ field: PatchField, order: JSON?
    ) throws(PatchError) -> [JSON] {
        guard let mergeKey = field.mergeKey else {
            var merged = original
            for change in changes where !merged.contains(change) { merged.append(change) }
            return Self.ordered(merged, original: original, order: order, nil)
        }
        if let replaced = replacement(changes) { return replaced }
        var merged = original
        for change in changes {
            guard case .object(var item) = change else {
                throw PatchError(
                    .malformed, "invalid JSON document: a list of objects may hold only objects")
            }
            guard let identity = item[mergeKey] else {
                throw PatchError(
                    .malformed,
                    "map: \(String(decoding: change.bytes(), as: UTF8.self)) does not contain "
                        + "declared merge key: \(mergeKey)")
            }
            let index = merged.firstIndex { $0[mergeKey] == identity }
            if let kind = item[Self.directive] {
                switch kind.stringValue {
                case "delete"?:
                    merged.removeAll { $0[mergeKey] == identity }
                    continue
                case "merge"?: item[Self.directive] = nil
                default: throw Self.unknownDirective(kind, item)
                }
            }
            var base = JSONObject()
            if let index, case .object(let object) = merged[index] { base = object }
            let result = JSON.object(try merge(item, into: base, message: field.message))
            if let index {
                merged[index] = result
            } else {
                merged.append(result)
            }
        }
        return Self.ordered(merged, original: original, order: order, mergeKey)
    }

    /// `[{$patch: replace}, …]` puts the other elements in place of the whole list.
    private func replacement(_ changes: [JSON]) -> [JSON]? {
        guard changes.contains(where: { $0[Self.directive]?.stringValue == "replace" }) else {
            return nil
        }
        return changes.compactMap { change in
            guard case .object(var item) = change, item[Self.directive] != nil else {
                return change
            }
            item[Self.directive] = nil
            return item.keys.isEmpty ? nil : .object(item)
        }
    }

    /// The elements that `order` names in its order, the others woven in where they stood.
    private static func ordered(
        _ elements: [JSON], original: [JSON], order: JSON?, _ mergeKey: String?
    ) -> [JSON] {
        guard case .array(let wanted)? = order else { return elements }
        func identity(_ element: JSON) -> JSON { mergeKey.flatMap { element[$0] } ?? element }
        let wantedIdentities = wanted.map(identity)
        let before = original.map(identity)
        let named = wantedIdentities.compactMap { wanted in
            elements.first { identity($0) == wanted }
        }
        let others = elements.filter { !wantedIdentities.contains(identity($0)) }
        var result: [JSON] = []
        var left = others[...]
        var right = named[...]
        while let other = left.first, let next = right.first {
            if let otherIndex = before.firstIndex(of: identity(other)),
                let nextIndex = before.firstIndex(of: identity(next)), otherIndex < nextIndex
            {
                result.append(left.removeFirst())
            } else {
                result.append(right.removeFirst())
            }
        }
        return result + left + right
    }
}
