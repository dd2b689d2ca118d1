package import Documents
package import Basics

extension Object {
    package var metadata: JSON {
        get { json["metadata"] ?? .object(JSONObject()) }
        set { json["metadata"] = newValue }
    }

    package var spec: JSON {
        get { json["spec"] ?? .object(JSONObject()) }
        set { json["spec"] = newValue }
    }

    package var status: JSON {
        get { json["status"] ?? .object(JSONObject()) }
        set { json["status"] = newValue }
    }

    package var name: String { json.path("metadata", "name")?.stringValue ?? "" }
    /// Empty for kinds without namespaces.
    package var namespace: String { json.path("metadata", "namespace")?.stringValue ?? "" }
    package var uid: String { json.path("metadata", "uid")?.stringValue ?? "" }
    package var generation: Int64 { json.path("metadata", "generation")?.intValue ?? 0 }

    package var labels: [String: String] { strings("labels") }
    package var annotations: [String: String] { strings("annotations") }

    package func label(_ key: String) -> String? {
        json.path("metadata", "labels", key)?.stringValue
    }

    package func annotation(_ key: String) -> String? {
        json.path("metadata", "annotations", key)?.stringValue
    }

    /// Sets an annotation; nil removes it.
    package mutating func setAnnotation(_ key: String, _ value: String?) {
        json.set(value.map(JSON.string), at: "metadata", "annotations", key)
    }

    /// Sets a label; nil removes it.
    package mutating func setLabel(_ key: String, _ value: String?) {
        json.set(value.map(JSON.string), at: "metadata", "labels", key)
    }

    package var finalizers: [String] {
        get { json.path("metadata", "finalizers")?.elements.compactMap(\.stringValue) ?? [] }
        set {
            let value = newValue.isEmpty ? nil : JSON.array(newValue.map(JSON.string))
            json.set(value, at: "metadata", "finalizers")
        }
    }

    package var ownerReferences: [OwnerReference] {
        get { json.path("metadata", "ownerReferences")?.elements.map(OwnerReference.init) ?? [] }
        set {
            let value = newValue.isEmpty ? nil : JSON.array(newValue.map(\.json))
            json.set(value, at: "metadata", "ownerReferences")
        }
    }

    /// The one owner that manages the object.
    package var controllerOwner: OwnerReference? { ownerReferences.first(where: \.isController) }

    package var creationTimestamp: WallTime? { time("creationTimestamp") }
    package var deletionTimestamp: WallTime? { time("deletionTimestamp") }
    package var isBeingDeleted: Bool { json.path("metadata", "deletionTimestamp") != nil }
    package var deletionGracePeriodSeconds: Int64? {
        json.path("metadata", "deletionGracePeriodSeconds")?.intValue
    }

    private func time(_ key: String) -> WallTime? {
        json.path("metadata", key)?.stringValue.flatMap(WallTime.init(rfc3339:))
    }

    private func strings(_ key: String) -> [String: String] {
        var result: [String: String] = [:]
        for member in json.path("metadata", key)?.objectValue ?? JSONObject() {
            result[member.key] = member.value.stringValue
        }
        return result
    }
}
