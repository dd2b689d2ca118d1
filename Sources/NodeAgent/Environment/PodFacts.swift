package import Documents
package import Objects

/// What the downward API can be asked about a pod that runs here.
package struct PodFacts: Sendable {
    package var pod: Object
    package var podIP: String
    package var hostIP: String
    package var nodeName: String
    /// `cpu` in millicores and `memory`, `ephemeral-storage` in bytes, for limits not set.
    package var allocatable: [String: Int64]

    package init(
        pod: Object, podIP: String, hostIP: String, nodeName: String,
        allocatable: [String: Int64]
    ) {
        self.pod = pod
        self.podIP = podIP
        self.hostIP = hostIP
        self.nodeName = nodeName
        self.allocatable = allocatable
    }

    /// The value of a `fieldRef`; nil for a path that the downward API does not have.
    package func field(_ path: String) -> String? {
        switch path {
        case "metadata.name": return pod.name
        case "metadata.namespace": return pod.namespace
        case "metadata.uid": return pod.uid
        case "metadata.labels": return Self.lines(pod.metadata["labels"])
        case "metadata.annotations": return Self.lines(pod.metadata["annotations"])
        case "spec.nodeName": return nodeName
        case "spec.serviceAccountName":
            return pod.spec["serviceAccountName"]?.stringValue ?? ""
        case "status.hostIP", "status.hostIPs": return hostIP
        case "status.podIP", "status.podIPs": return podIP
        default: return subscripted(path)
        }
    }

    /// `metadata.labels['key']` and the same of annotations.
    private func subscripted(_ path: String) -> String? {
        for (prefix, member) in [
            ("metadata.labels['", "labels"), ("metadata.annotations['", "annotations"),
        ]
        where path.hasPrefix(prefix) && path.hasSuffix("']") {
            let key = String(path.dropFirst(prefix.count).dropLast(2))
            return pod.metadata[member]?[key]?.stringValue ?? ""
        }
        return nil
    }

    /// One `key="value"` a line, by key, quoted as Go does.
    static func lines(_ map: JSON?) -> String {
        let members = map?.objectValue?.keys.sorted() ?? []
        return members.map { key in
            let value = map?[key]?.stringValue ?? ""
            return "\(key)=\(JSON.string(value))"
        }.joined(separator: "\n")
    }

    /// The value of a `resourceFieldRef`.
    package func resource(_ reference: JSON, container: JSON) -> String? {
        var container = container
        if let name = reference["containerName"]?.stringValue,
            let other = (pod.spec["containers"]?.elements ?? []).first(where: {
                $0["name"]?.stringValue == name
            })
        {
            container = other
        }
        let parts = (reference["resource"]?.stringValue ?? "")
            .split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[0] == "limits" || parts[0] == "requests" else { return nil }
        let isCPU = parts[1] == "cpu"
        let amount: Int64
        if let text = container.path("resources", parts[0], parts[1]).map(Self.text),
            let thousandths = Quantity(text)?.milliValue
        {
            amount = isCPU ? thousandths : (thousandths + 999) / 1000
        } else {
            amount = parts[0] == "limits" ? allocatable[parts[1]] ?? 0 : 0
        }
        let divisor = reference["divisor"].map(Self.text) ?? "0"
        guard let given = Quantity(divisor)?.milliValue else { return nil }
        // A divisor of 0 means 1: one core, one byte.
        let step = given == 0 ? 1000 : given
        let thousandths = isCPU ? amount : amount.multipliedReportingOverflow(by: 1000).partialValue
        return String((thousandths + step - 1) / step)
    }

    private static func text(_ json: JSON) -> String { json.stringValue ?? json.description }
}
