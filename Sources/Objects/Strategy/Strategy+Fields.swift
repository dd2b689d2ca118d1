import Documents
import Basics

extension Strategy {
    /// Kinds whose `metadata.generation` counts the changes of their spec.
    static func hasGeneration(_ kind: ResourceKind) -> Bool {
        kind == .deployment || kind == .replicaSet || kind == .pod
    }

    /// Kinds whose status clients may write only through the subresource.
    private static func hasStatus(_ kind: ResourceKind) -> Bool {
        kind.hasSubresource(.status)
    }

    static func clearStatus(_ kind: ResourceKind, _ json: inout JSON) {
        // A node registers with its status in one request.
        if kind == .node { return }
        if hasStatus(kind) { json["status"] = nil }
    }

    /// The status and the fields that a new object begins with.
    static func initialize(_ kind: ResourceKind, _ json: inout JSON) {
        switch kind {
        case .pod:
            json["status"] = ["phase": "Pending", "qosClass": .string(QOSClass.of(json))]
        case .namespace:
            var finalizers = json.path("spec", "finalizers")?.elements ?? []
            if !finalizers.contains("kubernetes") { finalizers.append("kubernetes") }
            json.set(.array(finalizers), at: "spec", "finalizers")
            json["status"] = ["phase": "Active"]
        case .deployment: json["status"] = .object(JSONObject())
        case .replicaSet: json["status"] = ["replicas": 0]
        case .service: json["status"] = ["loadBalancer": [:]]
        default: break
        }
    }

    static func keepStatus(_ kind: ResourceKind, _ json: inout JSON, old: JSON) {
        if hasStatus(kind) { json["status"] = old["status"] }
        if kind == .namespace {
            json.set(old.path("spec", "finalizers"), at: "spec", "finalizers")
        }
    }

    /// A status update changes the status, labels, annotations, finalizers and owners only.
    static func keepAllButStatus(_ kind: ResourceKind, _ json: inout JSON, old: JSON) {
        for member in json.objectValue ?? JSONObject() {
            switch member.key {
            case "status", "metadata", "kind", "apiVersion": break
            default: json[member.key] = nil
            }
        }
        for member in old.objectValue ?? JSONObject() {
            switch member.key {
            case "status", "metadata", "kind", "apiVersion": break
            default: json[member.key] = member.value
            }
        }
        switch kind {
        case .pod:
            // Owners of a pod change only through the object itself.
            json.set(
                old.path("metadata", "ownerReferences"), at: "metadata", "ownerReferences")
            json.set(old.path("status", "qosClass"), at: "status", "qosClass")
        case .deployment:
            json.set(old.path("metadata", "labels"), at: "metadata", "labels")
        default: break
        }
    }

    /// A namespace's `finalize` changes `spec.finalizers` only.
    static func keepAllButFinalizers(_ json: inout JSON, old: JSON) {
        let finalizers = json.path("spec", "finalizers")
        json = old
        json.set(finalizers ?? .array([]), at: "spec", "finalizers")
    }

    static func bumpGeneration(_ kind: ResourceKind, _ json: inout JSON, old: Object) {
        guard hasGeneration(kind) else { return }
        var changed = json["spec"] != old.json["spec"]
        if kind == .deployment {
            // Upstream's Deployment counts changes of annotations as well.
            changed =
                changed
                || json.path("metadata", "annotations") != old.json.path("metadata", "annotations")
        }
        if changed { json.set(.integer(old.generation + 1), at: "metadata", "generation") }
    }

    /// Values that the system chose and that an update which leaves them out keeps.
    static func carryOver(_ kind: ResourceKind, _ json: inout JSON, old: JSON) {
        guard kind == .service, json.path("spec", "type") != "ExternalName" else { return }
        for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]
        where (json.path("spec", key) ?? "") == "" {
            json.set(old.path("spec", key), at: "spec", key)
        }
    }
}
