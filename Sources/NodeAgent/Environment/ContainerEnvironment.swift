package import Documents
import Basics
import Objects

/// Computes a container's variables: `envFrom`, then `env` in order, with references expanded.
package struct ContainerEnvironment: Sendable {
    package private(set) var variables: [(name: String, value: String)] = []
    private var positions: [String: Int] = [:]

    package init(
        container: JSON, facts: PodFacts, sources: ConfigSources
    ) throws(RuntimeError) {
        for source in container["envFrom"]?.elements ?? [] {
            try add(source, sources, namespace: facts.pod.namespace)
        }
        for variable in container["env"]?.elements ?? [] {
            guard let name = variable["name"]?.stringValue else { continue }
            if let from = variable["valueFrom"], !from.isNull {
                guard let value = try Self.value(from, container, facts, sources) else { continue }
                set(name, value)
            } else {
                let text = variable["value"]?.stringValue ?? ""
                set(name, Expansion.expand(text) { self[$0] })
            }
        }
    }

    package subscript(name: String) -> String? {
        positions[name].map { variables[$0].value }
    }

    package mutating func set(_ name: String, _ value: String) {
        if let position = positions[name] {
            variables[position].value = value
        } else {
            positions[name] = variables.count
            variables.append((name, value))
        }
    }

    private static func missing(_ text: String) -> RuntimeError {
        RuntimeError("CreateContainerConfigError", text)
    }

    private mutating func add(
        _ source: JSON, _ sources: ConfigSources, namespace: String
    ) throws(RuntimeError) {
        let prefix = source["prefix"]?.stringValue ?? ""
        for (member, kind) in [
            ("configMapRef", ConfigSources.Kind.configMap), ("secretRef", .secret),
        ] {
            guard let reference = source[member], !reference.isNull else { continue }
            let name = reference["name"]?.stringValue ?? ""
            guard let data = sources.data(.init(kind, name)) else {
                if reference["optional"]?.boolValue == true { continue }
                throw Self.missing("\(kind.word) \"\(name)\" not found")
            }
            for (key, value) in data.sorted(by: { $0.key < $1.key }) {
                set(prefix + key, String(decoding: value, as: UTF8.self))
            }
        }
    }

    /// Nil for an optional value that is not there.
    private static func value(
        _ from: JSON, _ container: JSON, _ facts: PodFacts, _ sources: ConfigSources
    ) throws(RuntimeError) -> String? {
        if let path = from.path("fieldRef", "fieldPath")?.stringValue {
            guard let value = facts.field(path) else {
                throw missing("unsupported fieldPath: \(path)")
            }
            return value
        }
        if let reference = from["resourceFieldRef"] {
            guard let value = facts.resource(reference, container: container) else {
                let name = reference["resource"]?.stringValue ?? ""
                throw missing("unsupported container resource: \(name)")
            }
            return value
        }
        for (member, kind) in [
            ("configMapKeyRef", ConfigSources.Kind.configMap), ("secretKeyRef", .secret),
        ] {
            guard let reference = from[member], !reference.isNull else { continue }
            let name = reference["name"]?.stringValue ?? ""
            let key = reference["key"]?.stringValue ?? ""
            let isOptional = reference["optional"]?.boolValue == true
            guard let data = sources.data(.init(kind, name)) else {
                if isOptional { return nil }
                throw missing("\(kind.word) \"\(name)\" not found")
            }
            if let found = data.first(where: { $0.key == key }) {
                return String(decoding: found.value, as: UTF8.self)
            }
            if isOptional { return nil }
            let object = kind == .configMap ? "ConfigMap" : "Secret"
            throw missing("couldn't find key \(key) in \(object) \(facts.pod.namespace)/\(name)")
        }
        return ""
    }
}
