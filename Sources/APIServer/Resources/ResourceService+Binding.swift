import Documents
import Basics
import Objects

extension ResourceService {
    /// `POST pods/NAME/binding` and `POST bindings`: gives a pod its node, once.
    func bind(_ context: RequestContext) async throws(APIError) -> APIResponse {
        let (body, _) = try RequestBody.decode(
            contentType: context.contentType, context.body, apiVersion: "v1",
            kind: "Binding", fieldValidation: context.fieldValidation())
        let given = body.path("metadata", "name")?.stringValue ?? ""
        let name = context.info.subresource.isEmpty ? given : context.info.name
        if !given.isEmpty, given != name {
            throw .badRequest(
                "the name of the object (\(given)) does not match the name on the URL (\(name))")
        }
        let node = body.path("target", "name")?.stringValue ?? ""
        guard !node.isEmpty else {
            throw .invalid(.pod, name, [.required("target.name")])
        }
        _ = try await change(
            .pod, namespace: context.info.namespace, name: name,
            isDryRun: try context.isDryRun(), validates: false
        ) { old throws(APIError) in
            if old.isBeingDeleted {
                throw .conflict(
                    .pod, name, "pod \(name) is being deleted, cannot be assigned to a host")
            }
            if let bound = old.spec["nodeName"]?.stringValue, !bound.isEmpty {
                throw .conflict(
                    .pod, name, "pod \(name) is already assigned to node \"\(bound)\"")
            }
            return Self.bound(old, to: node, body)
        }
        return APIResponse(
            status: 201,
            json: [
                "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
                "code": 201,
            ])
    }

    private static func bound(_ pod: Object, to node: String, _ binding: JSON) -> JSON {
        var json = pod.json
        json.set(.string(node), at: "spec", "nodeName")
        for member in binding.path("metadata", "annotations")?.objectValue ?? JSONObject() {
            json.set(member.value, at: "metadata", "annotations", member.key)
        }
        var conditions = pod.status["conditions"]?.elements ?? []
        conditions.removeAll { $0["type"] == "PodScheduled" }
        conditions.append([
            "type": "PodScheduled", "status": "True", "lastProbeTime": .null,
            "lastTransitionTime": .string(WallTime.now().rfc3339),
        ])
        json.set(.array(conditions), at: "status", "conditions")
        return json
    }
}
