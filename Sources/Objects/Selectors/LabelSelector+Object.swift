package import Documents

extension LabelSelector {
    /// From a `LabelSelector` object (`matchLabels`, `matchExpressions`): an absent or null one
    /// selects nothing, an empty one everything.
    package init(object: JSON?) throws(SelectorError) {
        guard let object, case .object = object else {
            self = .nothing
            return
        }
        var requirements: [Requirement] = []
        if case .object(let labels)? = object["matchLabels"] {
            for key in labels.keys.sorted() {
                requirements.append(
                    .init(key: key, operator: .equals, values: [labels[key]?.stringValue ?? ""]))
            }
        }
        for expression in object["matchExpressions"]?.arrayValue ?? [] {
            let name = expression["operator"]?.stringValue ?? ""
            let values = (expression["values"]?.arrayValue ?? []).compactMap(\.stringValue)
            let relation: Requirement.Operator
            switch name {
            case "In": relation = .isIn
            case "NotIn": relation = .notIn
            case "Exists": relation = .exists
            case "DoesNotExist": relation = .doesNotExist
            default: throw SelectorError("\"\(name)\" is not a valid label selector operator")
            }
            if relation == .isIn || relation == .notIn, values.isEmpty {
                throw SelectorError(
                    "values: Invalid value: []: for 'in', 'notin' operators, values set can't be "
                        + "empty")
            }
            requirements.append(
                .init(
                    key: expression["key"]?.stringValue ?? "", operator: relation, values: values))
        }
        self.init(requirements)
    }
}
