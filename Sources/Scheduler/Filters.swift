import Documents
import Informers
import Objects

/// Why a node cannot take a pod, in upstream's words.
struct Refusal: Sendable, Hashable {
    var reasons: [String]
    /// No deletion of other pods could help.
    var isFinal: Bool
}

/// The questions that a node must pass, in upstream's order; the first failure is the answer.
enum Filters {
    private static let unschedulableTaint: JSON = [
        "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule",
    ]

    /// nil when the node can take the pod beside `load`.
    static func refusal(_ pod: PodNeeds, _ node: NodeState, _ load: NodeState.Load) -> Refusal? {
        if node.isUnschedulable,
            !Toleration.isTolerated(unschedulableTaint, by: pod.tolerations)
        {
            return Refusal(reasons: ["node(s) were unschedulable"], isFinal: true)
        }
        for taint in node.hardTaints where !Toleration.isTolerated(taint, by: pod.tolerations) {
            return Refusal(reasons: ["node(s) had untolerated taint(s)"], isFinal: true)
        }
        if !matches(pod, node) {
            return Refusal(
                reasons: ["node(s) didn't match Pod's node affinity/selector"], isFinal: true)
        }
        for port in pod.hostPorts where load.ports.contains(where: port.conflicts) {
            return Refusal(
                reasons: ["node(s) didn't have free ports for the requested pod ports"],
                isFinal: false)
        }
        return fit(pod.requests, node, load)
    }

    private static func matches(_ pod: PodNeeds, _ node: NodeState) -> Bool {
        for (key, value) in pod.nodeSelector where node.labels[key] != value { return false }
        guard let terms = pod.requiredTerms else { return true }
        return terms.contains { $0.matches(node) }
    }

    /// Every resource that is short is named; one that the node does not have at all is final.
    private static func fit(
        _ requests: Resources, _ node: NodeState, _ load: NodeState.Load
    ) -> Refusal? {
        var reasons: [String] = []
        var isFinal = false
        func check(_ name: String, _ request: Int64, _ used: Int64, _ capacity: Int64) {
            guard request > 0, request > capacity - used else { return }
            reasons.append("Insufficient \(name)")
            if request > capacity { isFinal = true }
        }
        if load.pods + 1 > node.podsMax {
            reasons.append("Too many pods")
            if node.podsMax == 0 { isFinal = true }
        }
        check("cpu", requests.milliCPU, load.requested.milliCPU, node.allocatable.milliCPU)
        check(
            "memory", requests.memoryBytes, load.requested.memoryBytes,
            node.allocatable.memoryBytes)
        check(
            "ephemeral-storage", requests.ephemeralBytes, load.requested.ephemeralBytes,
            node.allocatable.ephemeralBytes)
        for amount in requests.extended {
            check(
                amount.name, amount.value, load.requested.amount(amount.name),
                node.allocatable.amount(amount.name))
        }
        return reasons.isEmpty ? nil : Refusal(reasons: reasons, isFinal: isFinal)
    }
}
