import Documents
import Basics
import Objects

extension ResourceService {
    /// The `scale` subresource: `autoscaling/v1 Scale` over `spec.replicas`.
    func scale(_ context: RequestContext) async throws(APIError) -> APIResponse {
        let (kind, info) = (context.kind, context.info)
        if info.verb == "get" {
            let item = try await readExisting(kind, namespace: info.namespace, name: info.name)
            return APIResponse(json: Self.scaleJSON(try item.object()))
        }
        let isPatch = info.verb == "patch"
        let patch = isPatch ? try PatchBody(contentType: context.contentType, context.body) : nil
        let body =
            isPatch
            ? JSON.null
            : try RequestBody.decode(
                contentType: context.contentType, context.body,
                apiVersion: "autoscaling/v1", kind: "Scale",
                fieldValidation: context.fieldValidation()
            ).json
        let item = try await change(
            kind, namespace: info.namespace, name: info.name, isDryRun: try context.isDryRun()
        ) { old throws(APIError) in
            let before = Self.scaleJSON(old)
            let scale =
                try patch.map { patch throws(APIError) in
                    try patch.apply(to: before, message: "api.autoscaling.v1.Scale")
                } ?? body
            let version = try requestedVersion(scale)
            if version != 0, version != old.revision { throw .conflict(kind, old.name) }
            let replicas = scale.path("spec", "replicas") ?? 0
            guard let count = replicas.intValue, count >= 0, count <= Int64(Int32.max) else {
                throw APIError(
                    code: 422, reason: "Invalid",
                    message: "Scale.autoscaling \"\(old.name)\" is invalid: spec.replicas: Invalid "
                        + "value: \(replicas): must be greater than or equal to 0",
                    details: [
                        "name": .string(old.name), "group": "autoscaling", "kind": "Scale",
                        "causes": [
                            [
                                "reason": "FieldValueInvalid", "field": "spec.replicas",
                                "message": .string(
                                    "Invalid value: \(replicas): must be greater than or equal "
                                        + "to 0"),
                            ]
                        ],
                    ])
            }
            var json = old.json
            json.set(.integer(count), at: "spec", "replicas")
            return json
        }
        return APIResponse(json: Self.scaleJSON(try item.object()))
    }

    private static func scaleJSON(_ object: Object) -> JSON {
        var metadata: JSON = [
            "name": .string(object.name), "namespace": .string(object.namespace),
            "uid": .string(object.uid), "resourceVersion": .string(String(object.revision)),
        ]
        metadata["creationTimestamp"] = object.metadata["creationTimestamp"]
        var status: JSON = ["replicas": object.status["replicas"] ?? 0]
        if let selector = try? LabelSelector(object: object.spec["selector"]) {
            status["selector"] = .string(selector.description)
        }
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
            "spec": ["replicas": object.spec["replicas"] ?? 0], "status": status,
        ]
    }
}
