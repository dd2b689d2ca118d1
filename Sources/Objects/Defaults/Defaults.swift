import Documents

/// Upstream's defaults of the kinds served, so that what is stored says all that counts.
enum Defaults {
    static func apply(_ kind: ResourceKind, _ json: inout JSON) {
        switch kind {
        case .pod: applyPod(&json)
        case .deployment: json.update("spec", applyDeploymentSpec)
        case .replicaSet:
            json.update("spec") { spec in
                set(&spec, "replicas", 1)
                spec.update("template", applyPodTemplate)
            }
        case .service: json.update("spec", applyServiceSpec)
        case .secret: applySecret(&json)
        case .namespace:
            if let name = json.path("metadata", "name")?.stringValue, !name.isEmpty {
                json.set(.string(name), at: "metadata", "labels", "kubernetes.io/metadata.name")
            }
        case .node:
            if json.path("status", "allocatable") == nil,
                let capacity = json.path("status", "capacity")
            {
                json.set(capacity, at: "status", "allocatable")
            }
        default: break
        }
    }

    /// Sets a member that is absent or an empty string.
    static func set(_ json: inout JSON, _ key: String, _ value: @autoclosure () -> JSON) {
        if (json[key] ?? .null) == .null || json[key] == "" { json[key] = value() }
    }

    private static func applyDeploymentSpec(_ spec: inout JSON) {
        set(&spec, "replicas", 1)
        set(&spec, "revisionHistoryLimit", 10)
        set(&spec, "progressDeadlineSeconds", 600)
        spec.update("strategy") { strategy in
            set(&strategy, "type", "RollingUpdate")
            guard strategy["type"] == "RollingUpdate" else { return }
            strategy.update("rollingUpdate") { rolling in
                set(&rolling, "maxUnavailable", "25%")
                set(&rolling, "maxSurge", "25%")
            }
        }
        spec.update("template", applyPodTemplate)
    }

    private static func applyPodTemplate(_ template: inout JSON) {
        template["metadata"] = template["metadata"] ?? [:]
        template.update("spec", applyPodSpec)
    }

    private static func applyServiceSpec(_ spec: inout JSON) {
        set(&spec, "sessionAffinity", "None")
        set(&spec, "type", "ClusterIP")
        if spec["sessionAffinity"] == "ClientIP",
            spec.path("sessionAffinityConfig", "clientIP", "timeoutSeconds") == nil
        {
            spec.set(10800, at: "sessionAffinityConfig", "clientIP", "timeoutSeconds")
        } else if spec["sessionAffinity"] == "None" {
            spec["sessionAffinityConfig"] = nil
        }
        spec.updateEach("ports") { port in
            set(&port, "protocol", "TCP")
            if port["targetPort"] == 0 { port["targetPort"] = nil }
            if let number = port["port"] { set(&port, "targetPort", number) }
        }
        let type = spec["type"]?.stringValue
        if type == "NodePort" || type == "LoadBalancer" {
            set(&spec, "externalTrafficPolicy", "Cluster")
        }
        if type != "ExternalName" {
            set(&spec, "internalTrafficPolicy", "Cluster")
            set(&spec, "ipFamilies", ["IPv4"])
            set(&spec, "ipFamilyPolicy", "SingleStack")
            if let clusterIP = spec["clusterIP"]?.stringValue, !clusterIP.isEmpty {
                set(&spec, "clusterIPs", [.string(clusterIP)])
            }
        }
        if type == "LoadBalancer" { set(&spec, "allocateLoadBalancerNodePorts", true) }
    }

    /// `stringData` is for writing only: it goes into `data`.
    private static func applySecret(_ secret: inout JSON) {
        set(&secret, "type", "Opaque")
        guard let plain = secret["stringData"]?.objectValue else { return }
        secret["stringData"] = nil
        for member in plain {
            let text = member.value.stringValue ?? ""
            secret.set(.string(Base64.encode(text.utf8)), at: "data", member.key)
        }
    }
}
