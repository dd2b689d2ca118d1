import Documents

extension Validation {
    mutating func checkContainer(_ container: JSON, _ path: String, volumes: Set<String>) {
        let name = container["name"]?.stringValue ?? ""
        if name.isEmpty {
            add(.required("\(path).name"))
        } else {
            check("\(path).name", name, NameRules.dnsLabel)
        }
        let image = container["image"]?.stringValue ?? ""
        if image.isEmpty {
            add(.required("\(path).image"))
        } else if image.first?.isWhitespace == true || image.last?.isWhitespace == true {
            add(
                .invalid("\(path).image", image, "must not have leading or trailing whitespace"))
        }
        checkOneOf(container, "imagePullPolicy", path, ["Always", "IfNotPresent", "Never"])
        checkOneOf(
            container, "terminationMessagePolicy", path, ["FallbackToLogsOnError", "File"])
        checkContainerPorts(container["ports"], "\(path).ports")
        checkEnvironment(container, path)
        checkMounts(container["volumeMounts"], "\(path).volumeMounts", volumes)
        for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
            if let probe = container[key] { checkProbe(probe, "\(path).\(key)", key) }
        }
        for key in ["postStart", "preStop"] {
            if let handler = container.path("lifecycle", key) {
                checkHandler(handler, "\(path).lifecycle.\(key)")
            }
        }
        checkResources(container["resources"] ?? .null, "\(path).resources")
        if let user = container.path("securityContext", "runAsUser")?.intValue,
            !(0...2_147_483_647).contains(user)
        {
            add(
                .invalid(
                    "\(path).securityContext.runAsUser", .integer(user),
                    "must be between 0 and 2147483647, inclusive"))
        }
    }

    private mutating func checkContainerPorts(_ ports: JSON?, _ path: String) {
        var names: Set<String> = []
        for (index, port) in (ports?.elements ?? []).enumerated() {
            let inner = "\(path)[\(index)]"
            if let name = port["name"]?.stringValue, !name.isEmpty {
                check("\(inner).name", name, NameRules.portName)
                if !names.insert(name).inserted {
                    add(.duplicate("\(inner).name", .string(name)))
                }
            }
            let number = port["containerPort"]?.intValue ?? 0
            if number == 0 {
                add(.required("\(inner).containerPort"))
            } else {
                checkPort(number, "\(inner).containerPort")
            }
            if let host = port["hostPort"]?.intValue, host != 0 {
                checkPort(host, "\(inner).hostPort")
            }
            checkOneOf(port, "protocol", inner, ["SCTP", "TCP", "UDP"])
        }
    }

    private mutating func checkEnvironment(_ container: JSON, _ path: String) {
        for (index, variable) in (container["env"]?.elements ?? []).enumerated() {
            let inner = "\(path).env[\(index)]"
            let name = variable["name"]?.stringValue ?? ""
            if name.isEmpty {
                add(.required("\(inner).name"))
            } else {
                check("\(inner).name", name, NameRules.environmentName)
            }
            if let source = variable["valueFrom"] {
                checkValueSource(source, variable, "\(inner).valueFrom")
            }
        }
        for (index, source) in (container["envFrom"]?.elements ?? []).enumerated() {
            let inner = "\(path).envFrom[\(index)]"
            let kinds = ["configMapRef", "secretRef"].filter { source[$0] != nil }
            if kinds.isEmpty {
                add(.invalid(inner, "", "must specify one of: `configMapRef` or `secretRef`"))
            } else if kinds.count > 1 {
                add(.invalid(inner, "", "may not have more than one field specified at a time"))
            }
            for kind in kinds { checkRequired(source[kind] ?? .null, "name", "\(inner).\(kind)") }
        }
    }

    private mutating func checkValueSource(_ source: JSON, _ variable: JSON, _ path: String) {
        let kinds = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"].filter {
            source[$0] != nil
        }
        if kinds.isEmpty {
            add(
                .invalid(
                    path, "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                        + "`secretKeyRef` or `fileKeyRef`"))
        }
        if !(variable["value"]?.stringValue ?? "").isEmpty, !kinds.isEmpty {
            add(.invalid(path, "", "may not be specified when `value` is not empty"))
        } else if kinds.count > 1 {
            add(.invalid(path, "", "may not have more than one field specified at a time"))
        }
        for kind in ["configMapKeyRef", "secretKeyRef"] {
            guard let reference = source[kind] else { continue }
            checkRequired(reference, "name", "\(path).\(kind)")
            checkRequired(reference, "key", "\(path).\(kind)")
        }
        if let field = source["fieldRef"] { checkRequired(field, "fieldPath", "\(path).fieldRef") }
    }

    private mutating func checkMounts(_ mounts: JSON?, _ path: String, _ volumes: Set<String>) {
        var paths: Set<String> = []
        for (index, mount) in (mounts?.elements ?? []).enumerated() {
            let inner = "\(path)[\(index)]"
            let name = mount["name"]?.stringValue ?? ""
            if name.isEmpty {
                add(.required("\(inner).name"))
            } else if !volumes.contains(name) {
                add(.notFound("\(inner).name", name))
            }
            let mountPath = mount["mountPath"]?.stringValue ?? ""
            if mountPath.isEmpty {
                add(.required("\(inner).mountPath"))
            } else if !paths.insert(mountPath).inserted {
                add(.invalid("\(inner).mountPath", mountPath, "must be unique"))
            }
            if let subPath = mount["subPath"]?.stringValue {
                if subPath.hasPrefix("/") {
                    add(.invalid("\(inner).subPath", subPath, "must be a relative path"))
                }
                if subPath.split(separator: "/").contains("..") {
                    add(.invalid("\(inner).subPath", subPath, "must not contain '..'"))
                }
            }
        }
    }

    private mutating func checkProbe(_ probe: JSON, _ path: String, _ key: String) {
        checkHandler(probe, path)
        for name in [
            "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold",
            "failureThreshold",
        ] { checkNotNegative(probe, name, path) }
        if key != "readinessProbe", let threshold = probe["successThreshold"]?.intValue,
            threshold != 1
        {
            add(.invalid("\(path).successThreshold", .integer(threshold), "must be 1"))
        }
    }

    /// What a probe or a lifecycle hook does.
    private mutating func checkHandler(_ handler: JSON, _ path: String) {
        let kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"].filter { handler[$0] != nil }
        guard let kind = kinds.first else {
            add(.required(path, "must specify a handler type"))
            return
        }
        for other in kinds.dropFirst() {
            add(.forbidden("\(path).\(other)", "may not specify more than 1 handler type"))
        }
        let action = handler[kind] ?? .null
        let inner = "\(path).\(kind)"
        switch kind {
        case "exec":
            if (action["command"]?.elements ?? []).isEmpty { add(.required("\(inner).command")) }
        case "httpGet":
            checkPortReference(action["port"] ?? 0, "\(inner).port")
            checkOneOf(action, "scheme", inner, ["HTTP", "HTTPS"])
        case "tcpSocket", "grpc": checkPortReference(action["port"] ?? 0, "\(inner).port")
        default: break
        }
    }

    private mutating func checkResources(_ resources: JSON, _ path: String) {
        for key in ["limits", "requests"] {
            for entry in resources[key]?.objectValue ?? JSONObject() {
                let inner = "\(path).\(key)[\(entry.key)]"
                check(inner, entry.key, NameRules.qualifiedName)
                guard let amount = Quantity(entry.value) else { continue }
                if amount < .zero {
                    add(.invalid(inner, .string(amount.canonical), Self.notNegative))
                }
            }
        }
        for request in resources["requests"]?.objectValue ?? JSONObject() {
            guard let amount = Quantity(request.value),
                let limit = Quantity(resources.path("limits", request.key)), amount > limit
            else { continue }
            add(
                .invalid(
                    "\(path).requests", .string(amount.canonical),
                    "must be less than or equal to \(request.key) limit of \(limit.canonical)"))
        }
    }
}
