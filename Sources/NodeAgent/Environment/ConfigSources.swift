import Documents
package import Basics
package import Objects

/// The ConfigMaps and Secrets that a pod names, as they were fetched.
package struct ConfigSources: Sendable {
    package enum Kind: Sendable, Hashable {
        case configMap
        case secret

        var word: String { self == .configMap ? "configmap" : "secret" }
    }

    package struct Reference: Sendable, Hashable {
        package var kind: Kind
        package var name: String

        package init(_ kind: Kind, _ name: String) {
            self.kind = kind
            self.name = name
        }
    }

    package var objects: [Reference: Object]

    package init(_ objects: [Reference: Object] = [:]) {
        self.objects = objects
    }

    /// Every key of the object with its bytes; nil if there is no such object.
    package func data(_ reference: Reference) -> [(key: String, value: Bytes)]? {
        guard let json = objects[reference]?.json else { return nil }
        var data: [(key: String, value: Bytes)] = []
        let texts = reference.kind == .configMap ? "data" : "stringData"
        for member in json[texts]?.objectValue ?? JSONObject() {
            data.append((member.key, Bytes((member.value.stringValue ?? "").utf8)))
        }
        let encoded = reference.kind == .configMap ? "binaryData" : "data"
        for member in json[encoded]?.objectValue ?? JSONObject() {
            let decoded = try? Base64.decode(member.value.stringValue ?? "").get()
            data.append((member.key, decoded ?? []))
        }
        return data
    }

    /// Everything the pod's containers and volumes name.
    package static func references(of pod: Object) -> [Reference] {
        var found: [Reference] = []
        func add(_ kind: Kind, _ name: String?) {
            guard let name, !name.isEmpty else { return }
            let reference = Reference(kind, name)
            if !found.contains(reference) { found.append(reference) }
        }
        let containers =
            (pod.spec["initContainers"]?.elements ?? []) + (pod.spec["containers"]?.elements ?? [])
        for container in containers {
            for source in container["envFrom"]?.elements ?? [] {
                add(.configMap, source.path("configMapRef", "name")?.stringValue)
                add(.secret, source.path("secretRef", "name")?.stringValue)
            }
            for variable in container["env"]?.elements ?? [] {
                let from = variable["valueFrom"]
                add(.configMap, from?.path("configMapKeyRef", "name")?.stringValue)
                add(.secret, from?.path("secretKeyRef", "name")?.stringValue)
            }
        }
        for volume in pod.spec["volumes"]?.elements ?? [] {
            add(.configMap, volume.path("configMap", "name")?.stringValue)
            add(.secret, volume.path("secret", "secretName")?.stringValue)
            for source in volume.path("projected", "sources")?.elements ?? [] {
                add(.configMap, source.path("configMap", "name")?.stringValue)
                add(.secret, source.path("secret", "name")?.stringValue)
            }
        }
        return found
    }
}
