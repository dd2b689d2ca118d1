import Documents

extension TablePrinter {
    static let deployment = TablePrinter(
        [
            .name, TableColumn("Ready", "Ready pods of those wanted."),
            TableColumn("Up-to-date", "Pods that have the newest template."),
            TableColumn("Available", "Pods that have been ready for long enough."), .age,
            .containers, .images, .selector,
        ]
    ) { object, now in
        let status = object["status"]
        let ready = status?["readyReplicas"]?.intValue ?? 0
        let wanted = object["spec"]?["replicas"]?.intValue ?? 0
        return [
            name(object), .string("\(ready)/\(wanted)"), number(status?["updatedReplicas"]),
            number(status?["availableReplicas"]), age(object, now),
        ] + containers(object) + [selector(object)]
    }

    static let replicaSet = TablePrinter(
        [
            .name, TableColumn("Desired", "Pods wanted.", type: "integer"),
            TableColumn("Current", "Pods that exist.", type: "integer"),
            TableColumn("Ready", "Pods that are ready.", type: "integer"), .age, .containers,
            .images, .selector,
        ]
    ) { object, now in
        let status = object["status"]
        return [
            name(object), number(object["spec"]?["replicas"]), number(status?["replicas"]),
            number(status?["readyReplicas"]), age(object, now),
        ] + containers(object) + [selector(object)]
    }

    static let service = TablePrinter(
        [
            .name, TableColumn("Type", "How the service is exposed."),
            TableColumn("Cluster-IP", "Address within the cluster."),
            TableColumn("External-IP", "Addresses from outside the cluster."),
            TableColumn("Port(s)", "Ports that the service listens on."), .age, .selector,
        ]
    ) { object, now in
        let spec = object["spec"]
        let address =
            spec?["clusterIPs"]?.arrayValue?.first?.stringValue ?? spec?["clusterIP"]?.stringValue
        return [
            name(object), text(spec?["type"]?.stringValue), orNone(address),
            externalAddress(object), .string(ports(spec)), age(object, now),
            labels(spec?["selector"]),
        ]
    }

    private static func externalAddress(_ object: JSON) -> JSON {
        let spec = object["spec"]
        let external = (spec?["externalIPs"]?.arrayValue ?? []).compactMap(\.stringValue)
        switch spec?["type"]?.stringValue {
        case "ExternalName"?: return text(spec?["externalName"]?.stringValue)
        case "LoadBalancer"?:
            let ingress = object["status"]?["loadBalancer"]?["ingress"]?.arrayValue ?? []
            let balanced = ingress.compactMap {
                $0["ip"]?.stringValue ?? $0["hostname"]?.stringValue
            }
            let all = balanced + external
            return all.isEmpty ? "<pending>" : .string(all.joined(separator: ","))
        default:
            return orNone(external.joined(separator: ","))
        }
    }

    private static func ports(_ spec: JSON?) -> String {
        let ports = (spec?["ports"]?.arrayValue ?? []).map { port in
            let number = "\(port["port"]?.intValue ?? 0)"
            let node = port["nodePort"]?.intValue ?? 0
            return number + (node > 0 ? ":\(node)" : "") + "/"
                + (port["protocol"]?.stringValue ?? "")
        }
        return ports.isEmpty ? "<none>" : ports.joined(separator: ",")
    }
}
