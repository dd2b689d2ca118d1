import Documents

extension Validation {
    mutating func checkPod(_ pod: JSON, old: JSON?) {
        let spec = pod["spec"] ?? .null
        checkPodSpec(spec, "spec")
        guard let oldSpec = old?["spec"] else { return }
        checkPodChange(spec, from: oldSpec)
    }

    mutating func checkStatus(_ kind: ResourceKind, _ json: JSON) {
        switch kind {
        case .deployment, .replicaSet:
            for key in [
                "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
                "unavailableReplicas", "fullyLabeledReplicas", "observedGeneration",
            ] { checkNotNegative(json["status"] ?? .null, key, "status") }
        default: break
        }
    }

    /// Of a stored pod, only images, a deadline, new tolerations and the node's doings change.
    private mutating func checkPodChange(_ spec: JSON, from old: JSON) {
        var masked = spec
        for key in ["containers", "initContainers"] {
            let olds = old[key]?.elements ?? []
            let news = spec[key]?.elements ?? []
            guard olds.count == news.count else {
                let more = olds.count < news.count ? "add" : "remove"
                add(
                    .forbidden(
                        "spec.\(key)", "pod updates may not \(more) containers"))
                return
            }
            var index = 0
            masked.updateEach(key) { container in
                container["image"] = olds[index]["image"]
                index += 1
            }
        }
        let oldDeadline = old["activeDeadlineSeconds"]?.intValue
        let newDeadline = spec["activeDeadlineSeconds"]?.intValue
        if let newDeadline {
            if let oldDeadline, newDeadline > oldDeadline {
                add(
                    .invalid(
                        "spec.activeDeadlineSeconds", .integer(newDeadline),
                        "must be less than or equal to previous value"))
            }
        } else if oldDeadline != nil {
            add(
                .invalid(
                    "spec.activeDeadlineSeconds", .null,
                    "must not update from a positive integer to nil value"))
        }
        masked["activeDeadlineSeconds"] = old["activeDeadlineSeconds"]
        let oldTolerations = old["tolerations"]?.elements ?? []
        let tolerations = spec["tolerations"]?.elements ?? []
        if oldTolerations.allSatisfy(tolerations.contains) {
            masked["tolerations"] = old["tolerations"]
        }
        if (old["terminationGracePeriodSeconds"]?.intValue ?? 0) < 0,
            spec["terminationGracePeriodSeconds"] == 1
        {
            masked["terminationGracePeriodSeconds"] = old["terminationGracePeriodSeconds"]
        }
        // Gates may be lifted, and while a pod has any, its placement may be narrowed.
        if let gates = old["schedulingGates"]?.elements, !gates.isEmpty {
            if (spec["schedulingGates"]?.elements ?? []).allSatisfy(gates.contains) {
                masked["schedulingGates"] = old["schedulingGates"]
            }
            masked["nodeSelector"] = old["nodeSelector"]
        }
        if masked != old {
            add(
                .forbidden(
                    "spec",
                    "pod updates may not change fields other than `spec.containers[*].image`,"
                        + "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
                        + "`spec.tolerations` (only additions to existing tolerations),"
                        + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
                        + "previously negative)"))
        }
    }

    mutating func checkPodSpec(_ spec: JSON, _ path: String) {
        checkOneOf(spec, "restartPolicy", path, ["Always", "Never", "OnFailure"])
        checkOneOf(
            spec, "dnsPolicy", path, ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"])
        checkNotNegative(spec, "terminationGracePeriodSeconds", path)
        if let deadline = spec["activeDeadlineSeconds"]?.intValue, deadline < 1 {
            add(
                .invalid(
                    "\(path).activeDeadlineSeconds", .integer(deadline),
                    "must be between 1 and 2147483647, inclusive"))
        }
        for (key, rule) in [
            ("nodeName", NameRules.dnsSubdomain), ("serviceAccountName", NameRules.dnsSubdomain),
            ("hostname", NameRules.dnsLabel), ("subdomain", NameRules.dnsLabel),
        ] {
            guard let value = spec[key]?.stringValue, !value.isEmpty else { continue }
            check("\(path).\(key)", value, rule)
        }
        checkLabels(spec["nodeSelector"], "\(path).nodeSelector")
        checkPodSecurity(spec["securityContext"] ?? .null, "\(path).securityContext")
        checkTolerations(spec["tolerations"], "\(path).tolerations")
        let volumes = checkVolumes(spec["volumes"], "\(path).volumes")
        var names: Set<String> = []
        if (spec["containers"]?.elements ?? []).isEmpty { add(.required("\(path).containers")) }
        for key in ["containers", "initContainers"] {
            for (index, container) in (spec[key]?.elements ?? []).enumerated() {
                let inner = "\(path).\(key)[\(index)]"
                checkContainer(container, inner, volumes: volumes)
                guard let name = container["name"]?.stringValue, !name.isEmpty else { continue }
                if !names.insert(name).inserted {
                    add(.duplicate("\(inner).name", .string(name)))
                }
            }
        }
        for (index, secret) in (spec["imagePullSecrets"]?.elements ?? []).enumerated()
        where (secret["name"]?.stringValue ?? "").isEmpty {
            add(.required("\(path).imagePullSecrets[\(index)].name"))
        }
    }

    private mutating func checkPodSecurity(_ context: JSON, _ path: String) {
        for key in ["runAsUser", "runAsGroup", "fsGroup"] {
            guard let id = context[key]?.intValue, !(0...2_147_483_647).contains(id) else {
                continue
            }
            add(
                .invalid(
                    "\(path).\(key)", .integer(id), "must be between 0 and 2147483647, inclusive"))
        }
    }

    private mutating func checkTolerations(_ tolerations: JSON?, _ path: String) {
        for (index, toleration) in (tolerations?.elements ?? []).enumerated() {
            let inner = "\(path)[\(index)]"
            let key = toleration["key"]?.stringValue ?? ""
            let effect = toleration["effect"]?.stringValue ?? ""
            if !key.isEmpty { check("\(inner).key", key, NameRules.qualifiedName) }
            if key.isEmpty, toleration["operator"] != "Exists" {
                add(
                    .invalid(
                        "\(inner).operator", toleration["operator"] ?? "",
                        "operator must be Exists when `key` is empty, which means \"match all "
                            + "values and all keys\""))
            }
            if toleration["tolerationSeconds"] != nil, effect != "NoExecute" {
                add(
                    .invalid(
                        "\(inner).effect", effect,
                        "effect must be 'NoExecute' when `tolerationSeconds` is set"))
            }
            switch toleration["operator"]?.stringValue ?? "" {
            case "", "Equal":
                check(
                    "\(inner).operator", toleration["value"]?.stringValue ?? "",
                    NameRules.labelValue)
            case "Exists":
                if let value = toleration["value"]?.stringValue, !value.isEmpty {
                    add(
                        .invalid(
                            "\(inner).operator", toleration,
                            "value must be empty when `operator` is 'Exists'"))
                }
            case let other:
                add(.notSupported("\(inner).operator", other, ["Equal", "Exists"]))
            }
            if !effect.isEmpty {
                checkOneOf(
                    toleration, "effect", inner, ["NoSchedule", "PreferNoSchedule", "NoExecute"])
            }
        }
    }
}
