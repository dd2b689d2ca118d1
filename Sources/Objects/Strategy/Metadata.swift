import Documents
import Basics

/// The parts of `metadata` that the system owns.
enum Metadata {
    static func prepareCreate(
        _ kind: ResourceKind, _ json: inout JSON, namespace: String, now: WallTime, uid: String,
        nameSuffix: String
    ) throws(APIError) {
        setTypeMeta(kind, &json)
        var metadata = json["metadata"] ?? .null
        if metadata.objectValue == nil { metadata = .object(JSONObject()) }
        try checkNamespace(kind, &metadata, namespace: namespace)
        let generateName = metadata["generateName"]?.stringValue ?? ""
        if (metadata["name"]?.stringValue ?? "").isEmpty, !generateName.isEmpty {
            metadata["name"] = .string(Names.generated(generateName, suffix: nameSuffix))
        }
        metadata["uid"] = .string(uid)
        metadata["creationTimestamp"] = .string(now.rfc3339)
        for key in [
            "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink",
            "managedFields",
        ] { metadata[key] = nil }
        metadata["generation"] = Strategy.hasGeneration(kind) ? 1 : nil
        json["metadata"] = metadata
    }

    static func prepareUpdate(
        _ kind: ResourceKind, _ json: inout JSON, old: Object
    ) throws(APIError) {
        setTypeMeta(kind, &json)
        var metadata = json["metadata"] ?? .null
        if metadata.objectValue == nil { metadata = .object(JSONObject()) }
        try checkNamespace(kind, &metadata, namespace: old.namespace)
        let name = metadata["name"]?.stringValue ?? ""
        guard name == old.name else {
            throw .badRequest(
                "the name of the object (\(name)) does not match the name on the URL (\(old.name))")
        }
        if let uid = metadata["uid"]?.stringValue, !uid.isEmpty, uid != old.uid {
            throw .conflict(
                kind, old.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(old.uid)")
        }
        // What clients send for these is ignored, as upstream does.
        for key in [
            "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
            "generation", "generateName",
        ] { metadata[key] = old.metadata[key] }
        for key in ["resourceVersion", "selfLink", "managedFields"] { metadata[key] = nil }
        json["metadata"] = metadata
    }

    /// `kind` and `apiVersion` come first in what is stored.
    private static func setTypeMeta(_ kind: ResourceKind, _ json: inout JSON) {
        var object = json.objectValue ?? JSONObject()
        json = .null
        object["kind"] = nil
        object["apiVersion"] = nil
        object.prepend("apiVersion", .string(kind.apiVersion))
        object.prepend("kind", .string(kind.kind))
        json = .object(object)
    }

    private static func checkNamespace(
        _ kind: ResourceKind, _ metadata: inout JSON, namespace: String
    ) throws(APIError) {
        let given = metadata["namespace"]?.stringValue ?? ""
        guard kind.isNamespaced else {
            if !given.isEmpty {
                let name = metadata["name"]?.stringValue ?? ""
                throw .invalid(
                    kind, name,
                    [.forbidden("metadata.namespace", "not allowed on this type")])
            }
            metadata["namespace"] = nil
            return
        }
        guard given.isEmpty || given == namespace else {
            throw .badRequest(
                "the namespace of the provided object does not match the namespace sent on the "
                    + "request")
        }
        metadata["namespace"] = .string(namespace)
    }
}
