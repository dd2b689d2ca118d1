package import Documents
package import Basics

/// Columns and cells of each kind, as upstream's server prints them.
package struct TablePrinter: Sendable {
    package let columns: [TableColumn]
    private let row: @Sendable (JSON, WallTime) -> [JSON]

    init(
        _ columns: [TableColumn], _ row: @escaping @Sendable (JSON, WallTime) -> [JSON]
    ) {
        self.columns = columns
        self.row = row
    }

    /// One cell for every column, the wide ones included.
    package func cells(_ object: JSON, now: WallTime) -> [JSON] {
        row(object, now)
    }

    /// By the name of a kind; a kind without columns of its own shows name and creation time.
    package static func printer(for kind: String) -> TablePrinter {
        switch kind {
        case "Pod": pod
        case "Deployment": deployment
        case "ReplicaSet": replicaSet
        case "Service": service
        case "Node": node
        case "Event": event
        case "Namespace": namespace
        case "Secret": secret
        case "ConfigMap": configMap
        case "ServiceAccount": serviceAccount
        case "Lease": lease
        case "Status": status
        default: other
        }
    }

    private static let other = TablePrinter(
        [
            .name,
            TableColumn("Created At", "When the object was created.", format: "date-time"),
        ]
    ) { object, _ in
        [name(object), object["metadata"]?["creationTimestamp"] ?? "<unknown>"]
    }

    private static let status = TablePrinter(
        [
            TableColumn("Status", "Outcome of the operation."),
            TableColumn("Reason", "Why the operation has this outcome."),
            TableColumn("Message", "The outcome in words."),
        ]
    ) { object, _ in
        [
            text(object["status"]?.stringValue), text(object["reason"]?.stringValue),
            text(object["message"]?.stringValue),
        ]
    }
}

// MARK: - Cells that several kinds share

extension TablePrinter {
    static func text(_ value: String?) -> JSON { .string(value ?? "") }

    static func orNone(_ value: String?) -> JSON {
        guard let value, !value.isEmpty else { return "<none>" }
        return .string(value)
    }

    static func orUnknown(_ value: String?) -> JSON {
        guard let value, !value.isEmpty else { return "<unknown>" }
        return .string(value)
    }

    static func name(_ object: JSON) -> JSON {
        text(object["metadata"]?["name"]?.stringValue)
    }

    static func age(_ object: JSON, _ now: WallTime) -> JSON {
        .string(
            HumanDuration.since(
                object["metadata"]?["creationTimestamp"]?.stringValue, now: now))
    }

    static func number(_ value: JSON?) -> JSON {
        .integer(Int64(value?.intValue ?? 0))
    }

    static func count(_ value: JSON?) -> Int64 {
        switch value {
        case .object(let object)?: Int64(object.keys.count)
        case .array(let elements)?: Int64(elements.count)
        default: 0
        }
    }

    static func containers(_ object: JSON) -> [JSON] {
        let list = object["spec"]?["template"]?["spec"]?["containers"]?.arrayValue ?? []
        let names = list.map { $0["name"]?.stringValue ?? "" }.joined(separator: ",")
        let images = list.map { $0["image"]?.stringValue ?? "" }.joined(separator: ",")
        return [.string(names), .string(images)]
    }

    static func labels(_ value: JSON?) -> JSON {
        guard case .object(let labels)? = value, !labels.keys.isEmpty else { return "<none>" }
        return .string(
            labels.keys.sorted().map { $0 + "=" + (labels[$0]?.stringValue ?? "") }
                .joined(separator: ","))
    }

    static func selector(_ object: JSON) -> JSON {
        guard let selector = try? LabelSelector(object: object["spec"]?["selector"]) else {
            return "<error>"
        }
        return orNone(selector.description)
    }
}
