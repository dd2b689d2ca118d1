import Documents
import Objects

/// A node selector term: requirements on labels and on the node's name, all of which must hold.
struct NodeTerm: Sendable {
    private struct Requirement: Sendable {
        var key: String
        var relation: String
        var values: [String]
    }

    private let labels: [Requirement]
    private let fields: [Requirement]

    init(_ json: JSON) {
        labels = Self.requirements(json["matchExpressions"])
        fields = Self.requirements(json["matchFields"])
    }

    private static func requirements(_ json: JSON?) -> [Requirement] {
        (json?.elements ?? []).map {
            Requirement(
                key: $0["key"]?.stringValue ?? "", relation: $0["operator"]?.stringValue ?? "",
                values: $0["values"]?.elements.compactMap(\.stringValue) ?? [])
        }
    }

    /// An empty term matches no node.
    func matches(_ node: NodeState) -> Bool {
        if labels.isEmpty, fields.isEmpty { return false }
        return labels.allSatisfy { holds($0, node.labels[$0.key]) }
            && fields.allSatisfy { $0.key == "metadata.name" && holds($0, node.name) }
    }

    private func holds(_ requirement: Requirement, _ value: String?) -> Bool {
        switch requirement.relation {
        case "In": return value.map(requirement.values.contains) ?? false
        case "NotIn": return !(value.map(requirement.values.contains) ?? false)
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        case "Gt", "Lt":
            guard let number = value.flatMap({ Int64($0) }),
                let bound = requirement.values.first.flatMap({ Int64($0) })
            else { return false }
            return requirement.relation == "Gt" ? number > bound : number < bound
        default: return false
        }
    }
}
