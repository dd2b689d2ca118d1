import Documents
package import Basics
package import Informers
import Objects

/// Deletes pods from nodes whose NoExecute taints they do not tolerate, or no longer.
package struct TaintEvictionController: Reconciler {
    package let component = "taint-eviction-controller"

    package init() {}

    package mutating func observe(
        _ change: Change, in view: borrowing ClusterView, now: WallTime, dirty: inout DirtyKeys
    ) {
        switch change.kind {
        case .node:
            guard let node = change.new,
                change.old?.json.path("spec", "taints") != node.json.path("spec", "taints"),
                !Self.taints(of: node).isEmpty
            else { return }
            for pod in view.pods(onNode: node.name) { dirty.mark(pod) }
        case .pod:
            guard let pod = change.new, pod.podIsActive, !pod.podNode.isEmpty,
                change.old?.podNode != pod.podNode
                    || change.old?.spec["tolerations"] != pod.spec["tolerations"],
                let node = view.object(.node, "", pod.podNode), !Self.taints(of: node).isEmpty
            else { return }
            dirty.mark(pod)
        default: break
        }
    }

    private static func taints(of node: Object) -> [JSON] {
        (node.json.path("spec", "taints")?.elements ?? []).filter {
            $0["effect"]?.stringValue == "NoExecute"
        }
    }

    package mutating func reconcile(
        _ key: ObjectReference, _ context: inout ReconcileContext
    ) -> Plan {
        var plan = Plan()
        guard let pod = context.view[key], !pod.isBeingDeleted,
            let node = context.view.object(.node, "", pod.podNode)
        else { return plan }
        let taints = Self.taints(of: node)
        guard !taints.isEmpty,
            let due = Self.evictionTime(of: pod, taints: taints, now: context.now)
        else { return plan }
        guard due <= context.now else {
            plan.requeue(at: due, now: context.now)
            return plan
        }
        plan.record(
            EventRecord(
                .normal, "TaintManagerEviction",
                "Marking for deletion Pod \(pod.namespace)/\(pod.name)", about: pod))
        var doomed = pod
        var status = pod.status
        status.setCondition(
            Condition(
                type: "DisruptionTarget", status: "True", reason: "DeletionByTaintManager",
                message: "Taint manager: deleting due to NoExecute taint"), now: context.now)
        doomed.status = status
        plan.delete(doomed, now: context.now)
        return plan
    }

    /// When the pod must go; nil if it tolerates every taint for good.
    static func evictionTime(of pod: Object, taints: [JSON], now: WallTime) -> WallTime? {
        let tolerations = pod.spec["tolerations"]?.elements ?? []
        var due: WallTime?
        for taint in taints {
            let matching = tolerations.filter { Toleration.tolerates($0, taint) }
            let added = taint.time("timeAdded") ?? now
            if matching.isEmpty { return min(due ?? now, now) }
            let seconds = matching.compactMap { $0["tolerationSeconds"]?.intValue }.min()
            guard let seconds else { continue }
            let time = added.adding(seconds: max(0, seconds))
            due = min(due ?? time, time)
        }
        return due
    }
}
