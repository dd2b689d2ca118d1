package import Documents

/// A parsed label selector: the conjunction of its requirements; none of them selects everything.
package struct LabelSelector: Sendable, Hashable {
    package struct Requirement: Sendable, Hashable {
        package enum Operator: String, Sendable {
            case exists
            case doesNotExist = "!"
            case equals = "="
            case notEquals = "!="
            case isIn = "in"
            case notIn = "notin"
            case greaterThan = "gt"
            case lessThan = "lt"
        }

        package var key: String
        package var `operator`: Operator
        package var values: [String]

        package init(key: String, operator: Operator, values: [String] = []) {
            self.key = key
            self.operator = `operator`
            self.values = values
        }

        package func matches(_ value: String?) -> Bool {
            switch `operator` {
            case .exists: return value != nil
            case .doesNotExist: return value == nil
            case .equals, .isIn: return value.map(values.contains) ?? false
            case .notEquals, .notIn: return !(value.map(values.contains) ?? false)
            case .greaterThan, .lessThan:
                guard let value, let left = Int64(value), let bound = values.first,
                    let right = Int64(bound)
                else { return false }
                return `operator` == .greaterThan ? left > right : left < right
            }
        }
    }

    package var requirements: [Requirement]
    /// What a null `LabelSelector` object is: it selects no object at all.
    package var selectsNothing = false

    package init(_ requirements: [Requirement] = []) {
        self.requirements = requirements
    }

    package static let everything = LabelSelector()
    package static let nothing: LabelSelector = {
        var selector = LabelSelector()
        selector.selectsNothing = true
        return selector
    }()

    package var isEverything: Bool { requirements.isEmpty && !selectsNothing }

    /// `label` answers the value of a label, nil when the object does not have it.
    package func matches(_ label: (String) -> String?) -> Bool {
        !selectsNothing && requirements.allSatisfy { $0.matches(label($0.key)) }
    }

    /// Against `metadata.labels` of an object's JSON.
    package func matches(object: JSON) -> Bool {
        if isEverything { return true }
        let labels = object["metadata"]?["labels"]
        return matches { labels?[$0]?.stringValue }
    }

    package func matches(labels: JSON?) -> Bool {
        matches { labels?[$0]?.stringValue }
    }
}

/// Why a selector could not be read; `message` is upstream's text.
package struct SelectorError: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String
    package init(_ message: String) { self.message = message }
    package var description: String { message }
}

extension LabelSelector: CustomStringConvertible {
    /// The query form, as a `scale` subresource shows it in `status.selector`.
    package var description: String {
        requirements.map { requirement in
            switch requirement.operator {
            case .exists: requirement.key
            case .doesNotExist: "!" + requirement.key
            case .equals, .notEquals:
                requirement.key + requirement.operator.rawValue + (requirement.values.first ?? "")
            case .isIn, .notIn:
                requirement.key + " \(requirement.operator.rawValue) ("
                    + requirement.values.sorted().joined(separator: ",") + ")"
            case .greaterThan: requirement.key + ">" + (requirement.values.first ?? "")
            case .lessThan: requirement.key + "<" + (requirement.values.first ?? "")
            }
        }.joined(separator: ",")
    }
}
