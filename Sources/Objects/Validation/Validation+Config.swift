import Documents

extension Validation {
    private static let dataBytesMax = 1024 * 1024

    mutating func checkConfigMap(_ map: JSON, old: JSON?) {
        var total = 0
        let data = map["data"]?.objectValue ?? JSONObject()
        let binary = map["binaryData"]?.objectValue ?? JSONObject()
        for entry in data {
            check("data[\(entry.key)]", entry.key, NameRules.configKey)
            if binary.contains(entry.key) {
                add(
                    .invalid(
                        "data[\(entry.key)]", entry.key, "duplicate of key present in binaryData"))
            }
            total += (entry.value.stringValue ?? "").utf8.count
        }
        for entry in binary {
            check("binaryData[\(entry.key)]", entry.key, NameRules.configKey)
            total += (entry.value.stringValue ?? "").utf8.count / 4 * 3
        }
        if total > Self.dataBytesMax { add(.tooLong("[]", bytesMax: Self.dataBytesMax)) }
        checkFrozen(map, old: old, ["data", "binaryData"])
    }

    /// Of an object with `immutable: true`, neither that nor the data changes.
    private mutating func checkFrozen(_ json: JSON, old: JSON?, _ keys: [String]) {
        guard let old, old["immutable"] == true else { return }
        let text = "field is immutable when `immutable` is set"
        for key in ["immutable"] + keys where json[key] != old[key] {
            add(.forbidden(key, text))
        }
    }

    mutating func checkSecret(_ secret: JSON, old: JSON?) {
        var total = 0
        let data = secret["data"]?.objectValue ?? JSONObject()
        for entry in data {
            check("data[\(entry.key)]", entry.key, NameRules.configKey)
            total += (entry.value.stringValue ?? "").utf8.count / 4 * 3
        }
        if total > Self.dataBytesMax { add(.tooLong("data", bytesMax: Self.dataBytesMax)) }
        let required: [String] =
            switch secret["type"]?.stringValue ?? "" {
            case "kubernetes.io/dockercfg": [".dockercfg"]
            case "kubernetes.io/dockerconfigjson": [".dockerconfigjson"]
            case "kubernetes.io/tls": ["tls.crt", "tls.key"]
            case "kubernetes.io/ssh-auth": ["ssh-privatekey"]
            default: []
            }
        for key in required where !data.contains(key) { add(.required("data[\(key)]")) }
        if secret["type"] == "kubernetes.io/basic-auth", !data.contains("username"),
            !data.contains("password")
        {
            add(.required("data[username]"))
            add(.required("data[password]"))
        }
        if secret["type"] == "kubernetes.io/service-account-token" {
            let key = "kubernetes.io/service-account.name"
            if (secret.path("metadata", "annotations", key)?.stringValue ?? "").isEmpty {
                add(.required("metadata.annotations[\(key)]"))
            }
        }
        if let old { checkImmutable(old["type"], secret["type"], "type") }
        checkFrozen(secret, old: old, ["data"])
    }

    mutating func checkNode(_ node: JSON) {
        var seen: Set<JSON> = []
        for (index, taint) in (node.path("spec", "taints")?.elements ?? []).enumerated() {
            let path = "spec.taints[\(index)]"
            check("\(path).key", taint["key"]?.stringValue ?? "", NameRules.qualifiedName)
            check("\(path).value", taint["value"]?.stringValue ?? "", NameRules.labelValue)
            let effect = taint["effect"]?.stringValue ?? ""
            let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"]
            if effect.isEmpty {
                add(.required("\(path).effect"))
            } else if !effects.contains(effect) {
                add(.notSupported("\(path).effect", effect, effects))
            }
            let identity: JSON = ["key": taint["key"] ?? "", "effect": .string(effect)]
            if !seen.insert(identity).inserted { add(.duplicate(path, taint)) }
        }
    }

    mutating func checkLease(_ lease: JSON) {
        let spec = lease["spec"] ?? .null
        if let seconds = spec["leaseDurationSeconds"]?.intValue, seconds <= 0 {
            add(
                .invalid(
                    "spec.leaseDurationSeconds", .integer(seconds), "must be greater than 0"))
        }
        checkNotNegative(spec, "leaseTransitions", "spec")
    }

    mutating func checkEvent(_ event: JSON) {
        let involved = event.path("involvedObject", "namespace")?.stringValue ?? ""
        let namespace = event.path("metadata", "namespace")?.stringValue ?? ""
        let expected = involved.isEmpty ? "default" : involved
        if namespace != expected, !(involved.isEmpty && namespace == "kube-system") {
            add(
                .invalid(
                    "involvedObject.namespace", involved, "does not match event.namespace"))
        }
    }
}
