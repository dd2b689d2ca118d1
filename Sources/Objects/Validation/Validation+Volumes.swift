import Documents

extension Validation {
    /// The names of the volumes that containers may mount.
    mutating func checkVolumes(_ volumes: JSON?, _ path: String) -> Set<String> {
        var names: Set<String> = []
        for (index, volume) in (volumes?.elements ?? []).enumerated() {
            let inner = "\(path)[\(index)]"
            let name = volume["name"]?.stringValue ?? ""
            if name.isEmpty {
                add(.required("\(inner).name"))
            } else {
                check("\(inner).name", name, NameRules.dnsLabel)
                if !names.insert(name).inserted {
                    add(.duplicate("\(inner).name", .string(name)))
                }
            }
            let sources = (volume.objectValue?.keys ?? []).filter { $0 != "name" }
            guard let source = sources.first else {
                add(.required(inner, "must specify a volume type"))
                continue
            }
            for other in sources.dropFirst() {
                add(.forbidden("\(inner).\(other)", "may not specify more than 1 volume type"))
            }
            checkSource(volume[source] ?? .null, source, "\(inner).\(source)")
        }
        return names
    }

    private mutating func checkSource(_ source: JSON, _ kind: String, _ path: String) {
        switch kind {
        case "configMap":
            checkRequired(source, "name", path)
            checkItems(source, path)
        case "secret":
            checkRequired(source, "secretName", path)
            checkItems(source, path)
        case "hostPath":
            checkRequired(source, "path", path)
            if let value = source["path"]?.stringValue, value.split(separator: "/").contains("..") {
                add(.invalid("\(path).path", value, "must not contain '..'"))
            }
            if let type = source["type"]?.stringValue, !type.isEmpty {
                checkOneOf(
                    source, "type", path,
                    [
                        "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File",
                        "FileOrCreate", "Socket",
                    ])
            }
        case "emptyDir":
            if let limit = Quantity(source["sizeLimit"]), limit < .zero {
                add(
                    .invalid(
                        "\(path).sizeLimit", .string(limit.canonical),
                        "SizeLimit field must be a valid resource quantity"))
            }
        case "downwardAPI": checkItems(source, path)
        case "persistentVolumeClaim": checkRequired(source, "claimName", path)
        case "nfs":
            checkRequired(source, "server", path)
            checkRequired(source, "path", path)
        default: break
        }
    }

    private mutating func checkItems(_ source: JSON, _ path: String) {
        checkMode(source["defaultMode"], "\(path).defaultMode")
        for (index, item) in (source["items"]?.elements ?? []).enumerated() {
            let inner = "\(path).items[\(index)]"
            if item["fieldRef"] == nil, item["resourceFieldRef"] == nil {
                checkRequired(item, "key", inner)
            }
            let target = item["path"]?.stringValue ?? ""
            if target.isEmpty {
                add(.required("\(inner).path"))
            } else if target.hasPrefix("/") {
                add(.invalid("\(inner).path", target, "must be a relative path"))
            } else if target.split(separator: "/").contains("..") {
                add(.invalid("\(inner).path", target, "must not contain '..'"))
            }
            checkMode(item["mode"], "\(inner).mode")
        }
    }

    private mutating func checkMode(_ mode: JSON?, _ path: String) {
        guard let value = mode?.intValue, !(0...0o777).contains(value) else { return }
        add(
            .invalid(
                path, .integer(value),
                "must be a number between 0 and 0777 (octal), both inclusive"))
    }
}
