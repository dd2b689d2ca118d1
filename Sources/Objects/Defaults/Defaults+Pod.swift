import Documents

extension Defaults {
    /// What pods get beyond the templates that they are made from.
    static func applyPod(_ pod: inout JSON) {
        pod.update("spec") { spec in
            applyPodSpec(&spec)
            set(&spec, "enableServiceLinks", true)
            for key in ["containers", "initContainers"] {
                spec.updateEach(key) { container in
                    container.update("resources", requestLimits)
                }
            }
        }
    }

    /// A resource that is limited and not requested is requested at its limit.
    private static func requestLimits(_ resources: inout JSON) {
        guard let limits = resources["limits"]?.objectValue else { return }
        resources.update("requests") { requests in
            for limit in limits { set(&requests, limit.key, limit.value) }
        }
    }

    /// What admission gives to new pods: account, priority, tolerations of a lost node.
    static func admitPod(_ pod: inout JSON) {
        pod.update("spec") { spec in
            let account = spec["serviceAccount"] ?? "default"
            set(&spec, "serviceAccountName", account)
            spec["serviceAccount"] = spec["serviceAccountName"]
            let className = spec["priorityClassName"]?.stringValue
            set(&spec, "priority", priority(className))
            set(&spec, "preemptionPolicy", "PreemptLowerPriority")
            var tolerations = spec["tolerations"]?.elements ?? []
            for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
            where !tolerations.contains(where: { tolerates($0, key) }) {
                tolerations.append([
                    "key": .string(key), "operator": "Exists", "effect": "NoExecute",
                    "tolerationSeconds": 300,
                ])
            }
            spec["tolerations"] = .array(tolerations)
        }
    }

    private static func priority(_ name: String?) -> JSON {
        switch name {
        case "system-node-critical": 2_000_001_000
        case "system-cluster-critical": 2_000_000_000
        default: 0
        }
    }

    private static func tolerates(_ toleration: JSON, _ key: String) -> Bool {
        let own = toleration["key"]?.stringValue ?? ""
        let effect = toleration["effect"]?.stringValue ?? ""
        return (own == key || own.isEmpty) && (effect == "NoExecute" || effect.isEmpty)
    }

    static func applyPodSpec(_ spec: inout JSON) {
        set(&spec, "dnsPolicy", "ClusterFirst")
        set(&spec, "restartPolicy", "Always")
        set(&spec, "terminationGracePeriodSeconds", 30)
        set(&spec, "schedulerName", "default-scheduler")
        set(&spec, "securityContext", [:])
        if let account = spec["serviceAccountName"] { spec["serviceAccount"] = account }
        let usesHostNetwork = spec["hostNetwork"] == true
        for key in ["containers", "initContainers", "ephemeralContainers"] {
            spec.updateEach(key) { container in
                applyContainer(&container)
                guard usesHostNetwork else { return }
                container.updateEach("ports") { port in
                    if let number = port["containerPort"] { set(&port, "hostPort", number) }
                }
            }
        }
        spec.updateEach("volumes", applyVolume)
    }

    private static func applyContainer(_ container: inout JSON) {
        set(&container, "terminationMessagePath", "/dev/termination-log")
        set(&container, "terminationMessagePolicy", "File")
        if let image = container["image"]?.stringValue {
            set(&container, "imagePullPolicy", pullPolicy(ofImage: image))
        } else {
            set(&container, "imagePullPolicy", "IfNotPresent")
        }
        set(&container, "resources", [:])
        container.updateEach("ports") { set(&$0, "protocol", "TCP") }
        for key in ["livenessProbe", "readinessProbe", "startupProbe"]
        where container[key] != nil {
            container.update(key, applyProbe)
        }
        for key in ["postStart", "preStop"] where container.path("lifecycle", key) != nil {
            container.update("lifecycle") { $0.update(key, applyHTTPGet) }
        }
        container.updateEach("env") { variable in
            guard variable["valueFrom"] != nil else { return }
            variable.update("valueFrom", applyFieldSource)
        }
    }

    /// `latest`, named or implied, is always pulled. A digest is not a tag.
    private static func pullPolicy(ofImage image: String) -> JSON {
        if image.contains("@") { return "IfNotPresent" }
        let last = image.split(separator: "/").last ?? ""
        let tag = last.split(separator: ":", maxSplits: 1).dropFirst().first ?? "latest"
        return tag == "latest" ? "Always" : "IfNotPresent"
    }

    private static func applyProbe(_ probe: inout JSON) {
        for (key, value) in [
            ("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1),
            ("failureThreshold", 3),
        ] where (probe[key]?.intValue ?? 0) == 0 {
            probe[key] = .integer(Int64(value))
        }
        applyHTTPGet(&probe)
        if probe["grpc"] != nil, probe.path("grpc", "service") == nil {
            probe.set("", at: "grpc", "service")
        }
    }

    private static func applyHTTPGet(_ handler: inout JSON) {
        guard handler["httpGet"] != nil else { return }
        handler.update("httpGet") { get in
            set(&get, "path", "/")
            set(&get, "scheme", "HTTP")
        }
    }

    private static func applyFieldSource(_ source: inout JSON) {
        if source["fieldRef"] != nil {
            source.update("fieldRef") { set(&$0, "apiVersion", "v1") }
        }
        if source["resourceFieldRef"] != nil {
            source.update("resourceFieldRef") { set(&$0, "divisor", "0") }
        }
    }

    private static func applyVolume(_ volume: inout JSON) {
        if volume.objectValue?.members.allSatisfy({ $0.key == "name" }) ?? false {
            volume["emptyDir"] = [:]
        }
        for key in ["secret", "configMap", "downwardAPI", "projected"] where volume[key] != nil {
            volume.update(key) { source in
                set(&source, "defaultMode", 0o644)
                source.updateEach("items", applyFieldSource)
                source.updateEach("sources", applyProjection)
            }
        }
        if volume["hostPath"] != nil {
            if volume.path("hostPath", "type") == nil { volume.set("", at: "hostPath", "type") }
        }
    }

    private static func applyProjection(_ source: inout JSON) {
        if source["serviceAccountToken"] != nil {
            source.update("serviceAccountToken") { set(&$0, "expirationSeconds", 3600) }
        }
        if source["downwardAPI"] != nil {
            source.update("downwardAPI") { $0.updateEach("items", applyFieldSource) }
        }
    }
}
