import Documents

extension Validation {
    mutating func checkDeployment(_ deployment: JSON, old: JSON?) {
        let spec = deployment["spec"] ?? .null
        checkNotNegative(spec, "replicas", "spec")
        checkNotNegative(spec, "minReadySeconds", "spec")
        checkNotNegative(spec, "revisionHistoryLimit", "spec")
        checkNotNegative(spec, "progressDeadlineSeconds", "spec")
        checkTemplate(spec, kind: "deployment")
        checkStrategy(spec["strategy"] ?? .null, "spec.strategy")
        if let deadline = spec["progressDeadlineSeconds"]?.intValue, deadline >= 0,
            deadline <= spec["minReadySeconds"]?.intValue ?? 0
        {
            add(
                .invalid(
                    "spec.progressDeadlineSeconds", .integer(deadline),
                    "must be greater than minReadySeconds"))
        }
        if let old {
            checkImmutable(old.path("spec", "selector"), spec["selector"], "spec.selector")
        }
    }

    mutating func checkReplicaSet(_ set: JSON, old: JSON?) {
        let spec = set["spec"] ?? .null
        checkNotNegative(spec, "replicas", "spec")
        checkNotNegative(spec, "minReadySeconds", "spec")
        checkTemplate(spec, kind: "replicaset")
        if let old {
            checkImmutable(old.path("spec", "selector"), spec["selector"], "spec.selector")
        }
    }

    /// The selector, the template, and that the one selects the other.
    private mutating func checkTemplate(_ spec: JSON, kind: String) {
        let selector = spec["selector"]
        if let selector, selector != .null {
            checkSelector(selector, "spec.selector")
            if (selector["matchLabels"]?.objectValue?.isEmpty ?? true),
                (selector["matchExpressions"]?.elements ?? []).isEmpty
            {
                add(
                    .invalid(
                        "spec.selector", selector, "empty selector is invalid for \(kind)"))
            }
        } else {
            add(.required("spec.selector"))
        }
        let template = spec["template"] ?? .null
        let labels = template.path("metadata", "labels")
        if selector.map({ Self.matches($0, labels) }) != true {
            add(
                .invalid(
                    "spec.template.metadata.labels", labels ?? .object(JSONObject()),
                    "`selector` does not match template `labels`"))
        }
        checkLabels(labels, "spec.template.labels")
        checkAnnotations(
            template.path("metadata", "annotations"), "spec.template.annotations")
        let podSpec = template["spec"] ?? .null
        checkPodSpec(podSpec, "spec.template.spec")
        if let policy = podSpec["restartPolicy"]?.stringValue, policy != "Always" {
            add(.notSupported("spec.template.spec.restartPolicy", policy, ["Always"]))
        }
        if podSpec["activeDeadlineSeconds"] != nil {
            add(
                .forbidden(
                    "spec.template.spec.activeDeadlineSeconds",
                    "activeDeadlineSeconds in \(Self.workloads[kind] ?? kind) is not Supported"))
        }
    }

    private static let workloads = ["deployment": "Deployment", "replicaset": "ReplicaSet"]

    private static func matches(_ selector: JSON, _ labels: JSON?) -> Bool {
        for label in selector["matchLabels"]?.objectValue ?? JSONObject()
        where labels?[label.key] != label.value { return false }
        for expression in selector["matchExpressions"]?.elements ?? [] {
            let value = labels?[expression["key"]?.stringValue ?? ""]
            let isListed = value.map { (expression["values"]?.elements ?? []).contains($0) }
            switch expression["operator"]?.stringValue {
            case "In": if isListed != true { return false }
            case "NotIn": if isListed == true { return false }
            case "Exists": if value == nil { return false }
            case "DoesNotExist": if value != nil { return false }
            default: return false
            }
        }
        return true
    }

    private mutating func checkStrategy(_ strategy: JSON, _ path: String) {
        let rolling = strategy["rollingUpdate"]
        switch strategy["type"]?.stringValue ?? "" {
        case "Recreate":
            if rolling != nil {
                add(
                    .forbidden(
                        "\(path).rollingUpdate",
                        "may not be specified when strategy `type` is 'Recreate'"))
            }
        case "RollingUpdate":
            guard let rolling else {
                add(
                    .required(
                        "\(path).rollingUpdate",
                        "this should be defaulted and never be nil"))
                return
            }
            for key in ["maxUnavailable", "maxSurge"] {
                checkShare(rolling[key] ?? 0, "\(path).rollingUpdate.\(key)")
            }
            if Self.isZero(rolling["maxUnavailable"]), Self.isZero(rolling["maxSurge"]) {
                add(
                    .invalid(
                        "\(path).rollingUpdate.maxUnavailable", rolling["maxUnavailable"] ?? 0,
                        "may not be 0 when `maxSurge` is 0"))
            }
            if let percent = Self.percent(rolling["maxUnavailable"]), percent > 100 {
                add(
                    .invalid(
                        "\(path).rollingUpdate.maxUnavailable", rolling["maxUnavailable"] ?? 0,
                        "must not be greater than 100%"))
            }
        case let other:
            add(.notSupported("\(path).type", other, ["Recreate", "RollingUpdate"]))
        }
    }

    private static func isZero(_ share: JSON?) -> Bool {
        guard let share else { return true }
        return share == 0 || percent(share) == 0
    }

    private static func percent(_ share: JSON?) -> Int64? {
        guard let text = share?.stringValue, text.hasSuffix("%") else { return nil }
        let digits = text.dropLast()
        guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int64(digits)
    }

    /// A count or a percentage.
    private mutating func checkShare(_ share: JSON, _ path: String) {
        if let text = share.stringValue {
            if Self.percent(share) == nil {
                add(
                    .invalid(
                        path, text,
                        "a valid percent string must be a numeric string followed by an ending "
                            + "'%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"))
            }
        } else if let count = share.intValue, count < 0 {
            add(.invalid(path, share, Self.notNegative))
        }
    }
}
