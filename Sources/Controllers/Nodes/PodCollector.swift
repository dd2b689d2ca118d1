import Documents
package import Basics
package import Informers
import Objects

/// Removes pods that nothing else will: of nodes that are gone, and terminating ones that no node
/// has. Ended pods are kept, without a limit so far.
package struct PodCollector: Reconciler {
    /// A node may come back under its name within this time.
    package static let quarantineSeconds: Int64 = 40

    package let component = "pod-garbage-collector"
    /// When nodes that pods name were found missing.
    private var missingSince: [String: WallTime] = [:]

    package init() {}

    package mutating func observe(
        _ change: Change, in view: borrowing ClusterView, now: WallTime, dirty: inout DirtyKeys
    ) {
        switch change.kind {
        case .node:
            if change.isDeletion {
                missingSince[change.reference.name] = now
                for pod in view.pods(onNode: change.reference.name) { dirty.mark(pod) }
            } else {
                missingSince[change.reference.name] = nil
            }
        case .pod:
            guard let pod = change.new else { return }
            if pod.podNode.isEmpty {
                if pod.isBeingDeleted { dirty.mark(pod) }
            } else if change.old?.podNode != pod.podNode {
                if view.object(.node, "", pod.podNode) == nil { dirty.mark(pod) }
            }
        default: break
        }
    }

    package mutating func reconcile(
        _ key: ObjectReference, _ context: inout ReconcileContext
    ) -> Plan {
        var plan = Plan()
        guard let pod = context.view[key] else { return plan }
        if pod.podNode.isEmpty {
            if pod.isBeingDeleted { remove(pod, nil, context, &plan) }
            return plan
        }
        guard context.view.object(.node, "", pod.podNode) == nil else { return plan }
        let since = missingSince[pod.podNode] ?? context.now
        missingSince[pod.podNode] = since
        let due = since.adding(seconds: Self.quarantineSeconds)
        guard due <= context.now else {
            plan.requeue(at: due, now: context.now)
            return plan
        }
        let condition = Condition(
            type: "DisruptionTarget", status: "True", reason: "DeletionByPodGC",
            message: "PodGC: node no longer exists")
        remove(pod, condition, context, &plan)
        plan.requireAbsent(ObjectReference(.node, namespace: "", name: pod.podNode))
        return plan
    }

    /// Deletes at once; a pod held by finalizers is at least marked as failed.
    private func remove(
        _ pod: Object, _ condition: Condition?, _ context: ReconcileContext, _ plan: inout Plan
    ) {
        var doomed = pod
        if !pod.podHasEnded {
            var status = pod.status
            status["phase"] = "Failed"
            if let condition { status.setCondition(condition, now: context.now) }
            doomed.status = status
        }
        var options = DeleteOptions()
        options.gracePeriodSeconds = 0
        plan.delete(doomed, options, now: context.now)
    }
}
