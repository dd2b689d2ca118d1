import Documents
import Objects

/// Objects as users write them.
enum Samples {
    static func template(app: String = "web", image: String = "web:1") -> JSON {
        [
            "metadata": ["labels": ["app": .string(app)]],
            "spec": ["containers": [["name": "main", "image": .string(image)]]],
        ]
    }

    static func deployment(
        _ name: String = "web", replicas: Int64 = 3, image: String = "web:1", spec: JSON = [:]
    ) -> JSON {
        var all: JSON = [
            "replicas": .integer(replicas),
            "selector": ["matchLabels": ["app": .string(name)]],
            "template": template(app: name, image: image),
        ]
        for member in spec.objectValue ?? JSONObject() { all[member.key] = member.value }
        return ["metadata": ["name": .string(name)], "spec": all]
    }

    static func replicaSet(_ name: String = "web", replicas: Int64 = 3, spec: JSON = [:]) -> JSON {
        deployment(name, replicas: replicas, spec: spec)
    }

    static func pod(_ name: String, labels: JSON = [:], owner: JSON? = nil) -> JSON {
        var metadata: JSON = ["name": .string(name), "labels": labels]
        if let owner { metadata["ownerReferences"] = [owner] }
        return [
            "metadata": metadata,
            "spec": ["containers": [["name": "main", "image": "web:1"]]],
        ]
    }

    static func rolling(surge: JSON, unavailable: JSON) -> JSON {
        [
            "strategy": [
                "type": "RollingUpdate",
                "rollingUpdate": ["maxSurge": surge, "maxUnavailable": unavailable],
            ]
        ]
    }
}
