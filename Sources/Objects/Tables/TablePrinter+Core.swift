import Documents
import Basics

extension TablePrinter {
    static let namespace = TablePrinter(
        [.name, TableColumn("Status", "Phase of the namespace."), .age]
    ) { object, now in
        [name(object), text(object["status"]?["phase"]?.stringValue), age(object, now)]
    }

    static let secret = TablePrinter(
        [
            .name, TableColumn("Type", "What the data is for."),
            TableColumn("Data", "Number of entries."), .age,
        ]
    ) { object, now in
        [
            name(object), text(object["type"]?.stringValue), .integer(count(object["data"])),
            age(object, now),
        ]
    }

    static let configMap = TablePrinter(
        [.name, TableColumn("Data", "Number of entries."), .age]
    ) { object, now in
        [
            name(object), .integer(count(object["data"]) + count(object["binaryData"])),
            age(object, now),
        ]
    }

    static let serviceAccount = TablePrinter([.name, .age]) { object, now in
        [name(object), age(object, now)]
    }

    static let lease = TablePrinter(
        [.name, TableColumn("Holder", "Who holds the lease."), .age]
    ) { object, now in
        [name(object), text(object["spec"]?["holderIdentity"]?.stringValue), age(object, now)]
    }

    static let node = TablePrinter(
        [
            .name, TableColumn("Status", "Whether the node takes pods."),
            TableColumn("Roles", "Roles from the node's labels."), .age,
            TableColumn("Version", "Version of the node's agent."),
            TableColumn("Internal-IP", "Address within the cluster.", wide: true),
            TableColumn("External-IP", "Address from outside the cluster.", wide: true),
            TableColumn("OS-Image", "Operating system of the node.", wide: true),
            TableColumn("Kernel-Version", "Kernel of the node.", wide: true),
            TableColumn("Container-Runtime", "What runs the containers.", wide: true),
        ]
    ) { object, now in
        let info = object["status"]?["nodeInfo"]
        return [
            name(object), .string(nodeStatus(object)), .string(nodeRoles(object)),
            age(object, now), text(info?["kubeletVersion"]?.stringValue),
            orNone(nodeAddress(object, "InternalIP")), orNone(nodeAddress(object, "ExternalIP")),
            orUnknown(info?["osImage"]?.stringValue),
            orUnknown(info?["kernelVersion"]?.stringValue),
            orUnknown(info?["containerRuntimeVersion"]?.stringValue),
        ]
    }

    private static func nodeStatus(_ object: JSON) -> String {
        let conditions = object["status"]?["conditions"]?.arrayValue ?? []
        var status = "Unknown"
        if let ready = conditions.last(where: { $0["type"]?.stringValue == "Ready" }) {
            status = ready["status"]?.stringValue == "True" ? "Ready" : "NotReady"
        }
        if object["spec"]?["unschedulable"]?.boolValue == true { status += ",SchedulingDisabled" }
        return status
    }

    private static func nodeRoles(_ object: JSON) -> String {
        guard case .object(let labels)? = object["metadata"]?["labels"] else { return "<none>" }
        let prefix = "node-role.kubernetes.io/"
        var roles: [String] = []
        for label in labels.keys.sorted() {
            if label.hasPrefix(prefix), label.count > prefix.count {
                roles.append(String(label.dropFirst(prefix.count)))
            } else if label == "kubernetes.io/role", let role = labels[label]?.stringValue,
                !role.isEmpty
            {
                roles.append(role)
            }
        }
        return roles.isEmpty ? "<none>" : roles.sorted().joined(separator: ",")
    }

    private static func nodeAddress(_ object: JSON, _ type: String) -> String? {
        (object["status"]?["addresses"]?.arrayValue ?? [])
            .first { $0["type"]?.stringValue == type }?["address"]?.stringValue
    }

    static let event = TablePrinter(
        [
            TableColumn("Last Seen", "Time since the event was last seen."),
            TableColumn("Type", "Normal or Warning."),
            TableColumn("Reason", "Why the event was made, in one word."),
            TableColumn("Object", "What the event is about."),
            TableColumn("Subobject", "Which part of it.", wide: true),
            TableColumn("Source", "Who made the event.", wide: true),
            TableColumn("Message", "The event in words."),
            TableColumn("First Seen", "Time since it was first seen.", wide: true),
            TableColumn("Count", "How often it was seen.", wide: true),
            TableColumn("Name", "Name of the event.", format: "name", wide: true),
        ]
    ) { object, now in
        let first = HumanDuration.since(
            object["firstTimestamp"]?.stringValue ?? object["eventTime"]?.stringValue, now: now)
        var last =
            object["lastTimestamp"]?.stringValue.map { HumanDuration.since($0, now: now) } ?? first
        var count = max(1, object["count"]?.intValue ?? 1)
        if let series = object["series"], case .object = series {
            last = HumanDuration.since(series["lastObservedTime"]?.stringValue, now: now)
            count = series["count"]?.intValue ?? 0
        }
        let about = object["involvedObject"]
        let kind = about?["kind"]?.stringValue?.lowercased() ?? ""
        let target = about?["name"]?.stringValue ?? ""
        return [
            .string(last), text(object["type"]?.stringValue), text(object["reason"]?.stringValue),
            .string(target.isEmpty ? kind : kind + "/" + target),
            text(about?["fieldPath"]?.stringValue), .string(eventSource(object)),
            .string(oneLine(object["message"]?.stringValue ?? "")), .string(first),
            .integer(Int64(count)), name(object),
        ]
    }

    /// Without white space at either end.
    private static func oneLine(_ text: String) -> String {
        var trimmed = text.drop { $0.isWhitespace }
        while let last = trimmed.last, last.isWhitespace { trimmed.removeLast() }
        return String(trimmed)
    }

    private static func eventSource(_ object: JSON) -> String {
        let source = object["source"]
        var component = source?["component"]?.stringValue ?? ""
        if component.isEmpty { component = object["reportingComponent"]?.stringValue ?? "" }
        var host = source?["host"]?.stringValue ?? ""
        if host.isEmpty { host = object["reportingInstance"]?.stringValue ?? "" }
        return host.isEmpty ? component : component + ", " + host
    }
}
