import Documents
import Basics
import Informers
import Objects

/// A ReplicaSet as a Deployment's plan sees and changes it.
struct ReplicaSetState {
    /// As stored; nil for one that the plan makes.
    let original: Object?
    var object: Object
    var isRemoved = false

    init(stored: Object, as object: Object) {
        original = stored
        self.object = object
    }

    init(new object: Object) {
        original = nil
        self.object = object
    }

    var name: String { object.name }
    var created: WallTime { object.creationTimestamp ?? WallTime(microseconds: 0) }
    var template: JSON { object.spec["template"] ?? [:] }

    var replicas: Int64 {
        get { object.spec["replicas"]?.intValue ?? 1 }
        set {
            guard newValue != replicas else { return }
            object.json.set(.integer(newValue), at: "spec", "replicas")
        }
    }

    var actual: Int64 { object.status.count("replicas") }
    var ready: Int64 { object.status.count("readyReplicas") }

    /// Available pods, and never more than the set is to have: pods that a smaller size has
    /// condemned serve no more, though the status still counts them.
    var available: Int64 { min(object.status.count("availableReplicas"), replicas) }

    var availableInStatus: Int64 { object.status.count("availableReplicas") }
    var terminating: Int64 { object.status.count("terminatingReplicas") }
    var isActive: Bool { replicas > 0 }

    var revision: Int64 {
        object.annotation(DeploymentKeys.revision).flatMap { Int64($0) } ?? 0
    }

    func number(_ annotation: String) -> Int64? {
        object.annotation(annotation).flatMap { Int64($0) }
    }

    /// Oldest first; names decide between equals.
    static func isOlder(_ left: ReplicaSetState, _ right: ReplicaSetState) -> Bool {
        left.created != right.created ? left.created < right.created : left.name < right.name
    }

    mutating func setReplicaAnnotations(desired: Int64, max: Int64) {
        object.setAnnotation(DeploymentKeys.desiredReplicas, String(desired))
        object.setAnnotation(DeploymentKeys.maxReplicas, String(max))
    }

    /// Writes what the plan has changed.
    func write(to plan: inout Plan, now: WallTime) {
        guard let original else {
            if !isRemoved { plan.create(object) }
            return
        }
        if isRemoved {
            plan.delete(original, now: now)
            return
        }
        var changed = object
        if changed.spec != original.spec {
            changed.json.set(.integer(original.generation + 1), at: "metadata", "generation")
        }
        if changed.json == original.json {
            plan.require(original)
        } else {
            plan.update(original, to: changed.json)
        }
    }
}
