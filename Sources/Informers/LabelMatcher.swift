package import Documents
package import Objects

/// A `metav1.LabelSelector` as controllers use it.
package struct LabelMatcher: Sendable {
    private enum Requirement: Sendable {
        case isOneOf(String, [String])
        case isNoneOf(String, [String])
        case exists(String)
        case isAbsent(String)
        /// An operator that is not known: matches nothing.
        case never
    }

    private let requirements: [Requirement]

    /// A selector that is absent matches nothing; an empty one matches everything.
    package init(_ selector: JSON?) {
        guard let selector, !selector.isNull else {
            requirements = [.never]
            return
        }
        var found: [Requirement] = []
        for member in selector["matchLabels"]?.objectValue ?? JSONObject() {
            found.append(.isOneOf(member.key, [member.value.stringValue ?? ""]))
        }
        for expression in selector["matchExpressions"]?.elements ?? [] {
            let key = expression["key"]?.stringValue ?? ""
            let values = expression["values"]?.elements.compactMap(\.stringValue) ?? []
            switch expression["operator"]?.stringValue {
            case "In": found.append(.isOneOf(key, values))
            case "NotIn": found.append(.isNoneOf(key, values))
            case "Exists": found.append(.exists(key))
            case "DoesNotExist": found.append(.isAbsent(key))
            default: found.append(.never)
            }
        }
        requirements = found
    }

    package var matchesEverything: Bool { requirements.isEmpty }

    package func matches(_ object: Object) -> Bool {
        matches(object.json.path("metadata", "labels"))
    }

    /// Whether a JSON object of labels fits.
    package func matches(_ labels: JSON?) -> Bool {
        requirements.allSatisfy { requirement in
            switch requirement {
            case .isOneOf(let key, let values):
                labels?[key]?.stringValue.map(values.contains) ?? false
            case .isNoneOf(let key, let values):
                !(labels?[key]?.stringValue.map(values.contains) ?? false)
            case .exists(let key): labels?[key] != nil
            case .isAbsent(let key): labels?[key] == nil
            case .never: false
            }
        }
    }
}
