import Documents

/// Upstream's rules for the kinds served, with its field paths and texts.
///
/// A validation is a value that gathers faults; each kind has an extension.
struct Validation {
    var errors: [FieldError] = []

    static func validate(
        _ kind: ResourceKind, _ json: JSON, old: JSON?, subresource: Subresource = .none
    ) -> [FieldError] {
        var validation = Validation()
        validation.checkMetadata(kind, json["metadata"] ?? .null)
        if let old { validation.checkNewFinalizers(json, old: old) }
        if subresource == .finalize { return validation.errors }
        if subresource == .status {
            validation.checkStatus(kind, json)
            return validation.errors
        }
        switch kind {
        case .pod: validation.checkPod(json, old: old)
        case .deployment: validation.checkDeployment(json, old: old)
        case .replicaSet: validation.checkReplicaSet(json, old: old)
        case .service: validation.checkService(json, old: old)
        case .configMap: validation.checkConfigMap(json, old: old)
        case .secret: validation.checkSecret(json, old: old)
        case .node: validation.checkNode(json)
        case .lease: validation.checkLease(json)
        case .event: validation.checkEvent(json)
        default: break
        }
        return validation.errors
    }

    mutating func add(_ error: FieldError) { errors.append(error) }

    /// One `Invalid value` for each fault that a rule found.
    mutating func check(_ field: String, _ value: String, _ rule: (String) -> [String]) {
        for fault in rule(value) { add(.invalid(field, value, fault)) }
    }

    mutating func checkRequired(_ json: JSON, _ key: String, _ path: String) {
        if (json[key]?.stringValue ?? "").isEmpty { add(.required("\(path).\(key)")) }
    }

    /// An absent member is fine.
    mutating func checkOneOf(_ json: JSON, _ key: String, _ path: String, _ supported: [String]) {
        guard let value = json[key]?.stringValue, !supported.contains(value) else { return }
        add(.notSupported("\(path).\(key)", value, supported))
    }

    static let notNegative = "must be greater than or equal to 0"
    static let immutable = "field is immutable"

    mutating func checkNotNegative(_ json: JSON, _ key: String, _ path: String) {
        guard let value = json[key]?.intValue, value < 0 else { return }
        add(.invalid("\(path).\(key)", .integer(value), Self.notNegative))
    }

    mutating func checkPort(_ value: Int64, _ path: String) {
        if !(1...65535).contains(value) {
            add(.invalid(path, .integer(value), "must be between 1 and 65535, inclusive"))
        }
    }

    /// A number of a port, or the name of a container's.
    mutating func checkPortReference(_ value: JSON, _ path: String) {
        if let number = value.intValue { checkPort(number, path) }
        if let name = value.stringValue { check(path, name, NameRules.portName) }
    }

    mutating func checkImmutable(_ old: JSON?, _ new: JSON?, _ path: String) {
        if old != new { add(.invalid(path, new ?? .null, Self.immutable)) }
    }
}
