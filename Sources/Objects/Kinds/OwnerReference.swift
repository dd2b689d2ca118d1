package import Documents

/// An entry of `metadata.ownerReferences`.
package struct OwnerReference: Sendable, Hashable {
    package var apiVersion: String
    package var kind: String
    package var name: String
    package var uid: String
    package var isController: Bool
    package var blocksOwnerDeletion: Bool

    package init(_ json: JSON) {
        apiVersion = json["apiVersion"]?.stringValue ?? ""
        kind = json["kind"]?.stringValue ?? ""
        name = json["name"]?.stringValue ?? ""
        uid = json["uid"]?.stringValue ?? ""
        isController = json["controller"]?.boolValue ?? false
        blocksOwnerDeletion = json["blockOwnerDeletion"]?.boolValue ?? false
    }

    /// The reference by which `owner` manages an object, as controllers write it.
    package init(controller owner: Object) {
        apiVersion = owner.kind.apiVersion
        kind = owner.kind.kind
        name = owner.name
        uid = owner.uid
        isController = true
        blocksOwnerDeletion = true
    }

    package var json: JSON {
        var json: JSON = [
            "apiVersion": .string(apiVersion), "kind": .string(kind), "name": .string(name),
            "uid": .string(uid),
        ]
        if isController { json["controller"] = true }
        if blocksOwnerDeletion { json["blockOwnerDeletion"] = true }
        return json
    }
}
