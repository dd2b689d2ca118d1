import Documents

extension Validation {
    mutating func checkService(_ service: JSON, old: JSON?) {
        let spec = service["spec"] ?? .null
        let type = spec["type"]?.stringValue ?? ""
        let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
        if !types.contains(type) { add(.notSupported("spec.type", type, types)) }
        checkOneOf(spec, "sessionAffinity", "spec", ["ClientIP", "None"])
        checkOneOf(spec, "externalTrafficPolicy", "spec", ["Cluster", "Local"])
        checkOneOf(spec, "internalTrafficPolicy", "spec", ["Cluster", "Local"])
        let clusterIP = spec["clusterIP"]?.stringValue ?? ""
        let ports = spec["ports"]?.elements ?? []
        if type == "ExternalName" {
            let external = spec["externalName"]?.stringValue ?? ""
            if external.isEmpty {
                add(.required("spec.externalName"))
            } else {
                check("spec.externalName", external, NameRules.dnsSubdomain)
            }
        } else if ports.isEmpty, clusterIP != "None" {
            add(.required("spec.ports"))
        }
        checkServicePorts(ports, type: type)
        checkLabels(spec["selector"], "spec.selector")
        if !clusterIP.isEmpty, clusterIP != "None", !Self.isIPv4(clusterIP),
            !clusterIP.contains(":")
        {
            add(
                .invalid(
                    "spec.clusterIPs[0]", clusterIP,
                    "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"))
        }
        checkClusterIPChange(spec, clusterIP, old)
    }

    /// The address stays for the life of the service, unless that becomes an ExternalName.
    private mutating func checkClusterIPChange(_ spec: JSON, _ clusterIP: String, _ old: JSON?) {
        guard let before = old?.path("spec", "clusterIP")?.stringValue, !before.isEmpty,
            old?.path("spec", "type") != "ExternalName", spec["type"] != "ExternalName",
            before != clusterIP
        else { return }
        add(
            .invalid(
                "spec.clusterIPs[0]", spec["clusterIPs"] ?? .array([.string(clusterIP)]),
                "may not change once set"))
    }

    private mutating func checkServicePorts(_ ports: [JSON], type: String) {
        var names: Set<String> = []
        var numbers: Set<JSON> = []
        for (index, port) in ports.enumerated() {
            let path = "spec.ports[\(index)]"
            let name = port["name"]?.stringValue ?? ""
            if name.isEmpty {
                if ports.count > 1 { add(.required("\(path).name")) }
            } else {
                check("\(path).name", name, NameRules.dnsLabel)
                if !names.insert(name).inserted {
                    add(.duplicate("\(path).name", .string(name)))
                }
            }
            let number = port["port"]?.intValue ?? 0
            checkPort(number, "\(path).port")
            checkOneOf(port, "protocol", path, ["SCTP", "TCP", "UDP"])
            if let target = port["targetPort"] { checkPortReference(target, "\(path).targetPort") }
            if let nodePort = port["nodePort"]?.intValue, nodePort != 0 {
                if type == "ClusterIP" {
                    add(
                        .forbidden(
                            "\(path).nodePort", "may not be used when `type` is 'ClusterIP'"))
                } else if !(30000...32767).contains(nodePort) {
                    add(
                        .invalid(
                            "\(path).nodePort", .integer(nodePort),
                            "provided port is not in the valid range. The range of valid ports is "
                                + "30000-32767"))
                }
            }
            let identity: JSON = [
                "port": .integer(number), "protocol": port["protocol"] ?? "TCP",
            ]
            if !numbers.insert(identity).inserted { add(.duplicate(path, identity)) }
        }
    }

    static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.utf8.count <= 3 && (part.utf8.count == 1 || part.utf8.first != 0x30)
                    && part.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
                    && (UInt16(part).map { $0 <= 255 } ?? false)
            }
    }
}
