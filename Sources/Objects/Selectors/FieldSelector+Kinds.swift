package import Documents

/// Which fields of which kinds can be selected on, and how their values read.
extension FieldSelector {
    private static let metadataFields = ["metadata.name", "metadata.namespace"]

    /// Fields of a kind beyond those of the metadata; nil for a kind without any.
    private static func fields(of kind: String) -> [String]? {
        switch kind {
        case "Pod":
            [
                "spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
                "spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP",
                "status.podIPs", "status.nominatedNodeName",
            ]
        case "Node": ["spec.unschedulable"]
        case "Namespace": ["status.phase"]
        case "Secret": ["type"]
        case "Service": ["spec.clusterIP", "spec.type"]
        case "ReplicaSet": ["status.replicas"]
        case "Event":
            [
                "involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
                "involvedObject.uid", "involvedObject.apiVersion",
                "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
                "reportingComponent", "source", "type",
            ]
        default: nil
        }
    }

    /// Refuses fields that the kind cannot be selected on, and settles aliases.
    package func checked(for kind: String) throws(SelectorError) -> FieldSelector {
        var checked = self
        let own = Self.fields(of: kind)
        for (index, requirement) in requirements.enumerated() {
            if kind == "Pod", requirement.field == "spec.host" {
                checked.requirements[index].field = "spec.nodeName"
                continue
            }
            if Self.metadataFields.contains(requirement.field) { continue }
            if own?.contains(requirement.field) == true { continue }
            guard own == nil else {
                throw SelectorError("field label not supported: \(requirement.field)")
            }
            throw SelectorError(
                "\"\(requirement.field)\" is not a known field selector: only "
                    + "\"metadata.name\", \"metadata.namespace\"")
        }
        return checked
    }

    /// Precondition: `checked(for:)` let the selector through for the object's kind.
    package func matches(object: JSON) -> Bool {
        requirements.allSatisfy { requirement in
            if requirement.field == "status.podIPs" {
                let addresses = (object["status"]?["podIPs"]?.arrayValue ?? [])
                    .compactMap { $0["ip"]?.stringValue }
                return addresses.contains(requirement.value) == requirement.isEqual
            }
            return (Self.value(of: requirement.field, in: object) == requirement.value)
                == requirement.isEqual
        }
    }

    private static func value(of field: String, in object: JSON) -> String {
        switch field {
        case "source":
            let source = object["source"]?["component"]?.stringValue ?? ""
            return source.isEmpty ? object["reportingComponent"]?.stringValue ?? "" : source
        case "spec.unschedulable", "spec.hostNetwork":
            return text(at: field, in: object) == "true" ? "true" : "false"
        case "status.replicas":
            let replicas = text(at: field, in: object)
            return replicas.isEmpty ? "0" : replicas
        default:
            return text(at: field, in: object)
        }
    }

    private static func text(at field: String, in object: JSON) -> String {
        var value: JSON? = object
        for part in field.split(separator: ".") { value = value?[String(part)] }
        switch value {
        case .string(let text)?: return text
        case .bool(let flag)?: return flag ? "true" : "false"
        case .integer(let number)?: return String(number)
        default: return ""
        }
    }
}
