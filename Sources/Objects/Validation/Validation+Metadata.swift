import Documents

extension Validation {
    private static let annotationBytesMax = 256 * 1024

    mutating func checkMetadata(_ kind: ResourceKind, _ metadata: JSON) {
        let rule: (String) -> [String] =
            switch kind {
            case .namespace: NameRules.dnsLabel
            case .service: NameRules.dns1035Label
            default: NameRules.dnsSubdomain
            }
        if let base = metadata["generateName"]?.stringValue, !base.isEmpty {
            // What follows the dash is not there yet.
            let masked = base.hasSuffix("-") ? base.dropLast() + "a" : base
            for fault in rule(masked) { add(.invalid("metadata.generateName", base, fault)) }
        }
        let name = metadata["name"]?.stringValue ?? ""
        if name.isEmpty {
            add(.required("metadata.name", "name or generateName is required"))
        } else {
            check("metadata.name", name, rule)
        }
        if kind.isNamespaced {
            let namespace = metadata["namespace"]?.stringValue ?? ""
            if namespace.isEmpty {
                add(.required("metadata.namespace"))
            } else {
                check("metadata.namespace", namespace, NameRules.dnsLabel)
            }
        }
        checkLabels(metadata["labels"], "metadata.labels")
        checkAnnotations(metadata["annotations"], "metadata.annotations")
        checkOwners(metadata["ownerReferences"])
        for finalizer in metadata["finalizers"]?.elements ?? [] {
            let text = finalizer.stringValue ?? ""
            check("metadata.finalizers", text, NameRules.qualifiedName)
            if !text.contains("/"), !["orphan", "foregroundDeletion"].contains(text) {
                add(
                    .invalid(
                        "metadata.finalizers", text,
                        "name is neither a standard finalizer name nor is it fully qualified"))
            }
        }
    }

    mutating func checkLabels(_ labels: JSON?, _ path: String) {
        for label in labels?.objectValue ?? JSONObject() {
            for fault in NameRules.qualifiedName(label.key) {
                add(.invalid(path, label.key, fault))
            }
            check(path, label.value.stringValue ?? "", NameRules.labelValue)
        }
    }

    mutating func checkAnnotations(_ annotations: JSON?, _ path: String) {
        var total = 0
        for annotation in annotations?.objectValue ?? JSONObject() {
            for fault in NameRules.qualifiedName(annotation.key.lowercased()) {
                add(.invalid(path, annotation.key, fault))
            }
            total += annotation.key.utf8.count + (annotation.value.stringValue ?? "").utf8.count
        }
        if total > Self.annotationBytesMax {
            add(.tooLong(path, bytesMax: Self.annotationBytesMax))
        }
    }

    private mutating func checkOwners(_ owners: JSON?) {
        var controllers: [String] = []
        for (index, json) in (owners?.elements ?? []).enumerated() {
            let path = "metadata.ownerReferences[\(index)]"
            let owner = OwnerReference(json)
            if owner.apiVersion.isEmpty {
                add(.invalid("\(path).apiVersion", "", "version must not be empty"))
            }
            for (key, value) in [
                ("kind", owner.kind), ("name", owner.name), ("uid", owner.uid),
            ] where value.isEmpty {
                add(.invalid("\(path).\(key)", "", "must not be empty"))
            }
            if owner.isController { controllers.append(owner.name) }
        }
        if controllers.count > 1 {
            add(
                .invalid(
                    "metadata.ownerReferences", owners ?? .null,
                    "Only one reference can have Controller set to true. Found \"true\" in "
                        + "references for \(controllers[0]) and \(controllers[1])"))
        }
    }

    /// Nothing may hold an object back any more once it is being deleted.
    mutating func checkNewFinalizers(_ json: JSON, old: JSON) {
        guard old.path("metadata", "deletionTimestamp") != nil else { return }
        let before = old.path("metadata", "finalizers")?.elements ?? []
        let new = (json.path("metadata", "finalizers")?.elements ?? []).filter {
            !before.contains($0)
        }
        if new.isEmpty { return }
        let list = new.map(\.description).joined(separator: ", ")
        add(
            .forbidden(
                "metadata.finalizers",
                "no new finalizers can be added if the object is being deleted, found new "
                    + "finalizers []string{\(list)}"))
    }

    /// A LabelSelector.
    mutating func checkSelector(_ selector: JSON, _ path: String) {
        for label in selector["matchLabels"]?.objectValue ?? JSONObject() {
            check("\(path).matchLabels", label.key, NameRules.qualifiedName)
            check("\(path).matchLabels", label.value.stringValue ?? "", NameRules.labelValue)
        }
        for (index, expression) in (selector["matchExpressions"]?.elements ?? []).enumerated() {
            let inner = "\(path).matchExpressions[\(index)]"
            let values = expression["values"]?.elements ?? []
            switch expression["operator"]?.stringValue ?? "" {
            case "In", "NotIn":
                if values.isEmpty {
                    add(
                        .required(
                            "\(inner).values",
                            "must be specified when `operator` is 'In' or 'NotIn'"))
                }
            case "Exists", "DoesNotExist":
                if !values.isEmpty {
                    add(
                        .forbidden(
                            "\(inner).values",
                            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
                }
            case let other:
                add(.invalid("\(inner).operator", other, "not a valid selector operator"))
            }
            check("\(inner).key", expression["key"]?.stringValue ?? "", NameRules.qualifiedName)
        }
    }
}
