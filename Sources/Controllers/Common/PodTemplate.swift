import Documents
import Informers
import Objects

/// Makes the pod that a template describes, as the API's admission would complete it.
enum PodTemplate {
    static func pod(_ template: JSON, controller owner: Object) -> JSON {
        var metadata: JSON = [
            "generateName": .string(owner.name + "-"),
            "namespace": .string(owner.namespace),
        ]
        for key in ["labels", "annotations", "finalizers"] {
            if let value = template.path("metadata", key), value != [:], value != [] {
                metadata[key] = value
            }
        }
        metadata["ownerReferences"] = .array([OwnerReference(controller: owner).json])
        var spec = template["spec"] ?? [:]
        if (spec["serviceAccountName"]?.stringValue ?? "").isEmpty {
            spec["serviceAccountName"] = "default"
            spec["serviceAccount"] = "default"
        }
        addTolerations(&spec)
        return ["apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec]
    }

    /// Pods leave a node that is gone after five minutes unless they say otherwise.
    private static func addTolerations(_ spec: inout JSON) {
        var tolerations = spec["tolerations"]?.elements ?? []
        for key in [NodeTaint.notReady, NodeTaint.unreachable] {
            let isTolerated = tolerations.contains { toleration in
                let effect = toleration["effect"]?.stringValue ?? ""
                let name = toleration["key"]?.stringValue ?? ""
                return (name == key || name.isEmpty) && (effect.isEmpty || effect == "NoExecute")
            }
            if isTolerated { continue }
            tolerations.append([
                "key": .string(key), "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": 300,
            ])
        }
        spec["tolerations"] = .array(tolerations)
    }
}

/// Taints that the node controllers set.
enum NodeTaint {
    static let notReady = "node.kubernetes.io/not-ready"
    static let unreachable = "node.kubernetes.io/unreachable"
    static let unschedulable = "node.kubernetes.io/unschedulable"
    static let memoryPressure = "node.kubernetes.io/memory-pressure"
    static let diskPressure = "node.kubernetes.io/disk-pressure"
    static let pidPressure = "node.kubernetes.io/pid-pressure"
    static let networkUnavailable = "node.kubernetes.io/network-unavailable"
}
