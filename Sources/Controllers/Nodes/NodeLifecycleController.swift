import Documents
package import Basics
package import Informers
import Objects

/// Tells dead nodes by their silence, and marks nodes with the taints of their conditions.
///
/// A node speaks by renewing its Lease or its status. What counts is when this process saw the
/// change, so that clocks of nodes need not agree.
package struct NodeLifecycleController: Reconciler {
    /// Silence after which a node counts as lost.
    package static let graceSeconds: Int64 = 50
    static let leaseNamespace = "kube-node-lease"
    /// At most one node in this time gets the taint that drives its pods away.
    static let evictionPauseSeconds: Int64 = 10
    /// Above this many nodes a mostly sick cluster still evicts, slowly.
    static let largeClusterNodes = 50
    static let unhealthyShare = 0.55

    package let component = "node-controller"
    private var lastSeen: [String: WallTime] = [:]
    private var lastEviction: WallTime?

    package init() {}

    package mutating func observe(
        _ change: Change, in view: borrowing ClusterView, now: WallTime, dirty: inout DirtyKeys
    ) {
        let reference = change.reference
        if change.kind == .lease {
            guard reference.namespace == Self.leaseNamespace, change.new != nil else { return }
            let node = ObjectReference(.node, namespace: "", name: reference.name)
            // A lease renewed in time changes nothing but the time.
            let wasKnown = lastSeen.updateValue(now, forKey: reference.name) != nil
            if !wasKnown || change.old == nil { dirty.mark(node) }
            return
        }
        guard change.kind == .node else { return }
        guard let node = change.new else {
            lastSeen[reference.name] = nil
            return
        }
        if lastSeen[reference.name] == nil
            || Self.heartbeat(of: node) != change.old.flatMap(Self.heartbeat)
        {
            lastSeen[reference.name] = now
        }
        dirty.mark(node)
        // Whether all nodes are lost is a question about all of them.
        if change.old.map(Self.readiness) != Self.readiness(of: node) {
            for other in view.all(.node) where other.name != node.name { dirty.mark(other) }
        }
    }

    private static func heartbeat(of node: Object) -> JSON? {
        node.status.condition("Ready")?["lastHeartbeatTime"]
    }

    private static func readiness(of node: Object) -> String {
        node.status.condition("Ready")?["status"]?.stringValue ?? "Unknown"
    }

    package mutating func reconcile(
        _ key: ObjectReference, _ context: inout ReconcileContext
    ) -> Plan {
        var plan = Plan()
        guard let node = context.view[key] else { return plan }
        let now = context.now
        let seen = lastSeen[node.name] ?? now
        lastSeen[node.name] = seen
        var changed = node
        let deadline = seen.adding(seconds: Self.graceSeconds)
        if deadline <= now {
            declareUnknown(&changed, now: now)
        } else {
            plan.requeue(at: deadline, now: now)
        }
        let readiness = Self.readiness(of: changed)
        updateTaints(&changed, readiness, context, &plan)
        let wasReady = Self.readiness(of: node) == "True"
        if wasReady, readiness != "True" {
            plan.record(
                EventRecord(
                    .normal, "NodeNotReady",
                    "Node \(node.name) status is now: NodeNotReady", about: node))
        }
        if readiness != "True" { markPods(on: node, context, &plan) }
        plan.update(node, to: changed.json)
        return plan
    }

    private func declareUnknown(_ node: inout Object, now: WallTime) {
        var status = node.status
        for type in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
            let old = status.condition(type)
            if old?["status"]?.stringValue == "Unknown" { continue }
            var entry: JSON = ["type": .string(type), "status": "Unknown"]
            entry["lastHeartbeatTime"] =
                old?["lastHeartbeatTime"]
                ?? .string((node.creationTimestamp ?? now).rfc3339)
            entry["lastTransitionTime"] = .string(now.rfc3339)
            entry["reason"] = old == nil ? "NodeStatusNeverUpdated" : "NodeStatusUnknown"
            entry["message"] =
                old == nil
                ? "Kubelet never posted node status." : "Kubelet stopped posting node status."
            status.setCondition(entry)
        }
        node.status = status
    }

    /// Pods on a node that is not ready serve nobody, whatever they last said.
    private func markPods(on node: Object, _ context: ReconcileContext, _ plan: inout Plan) {
        for pod in context.view.pods(onNode: node.name) where pod.podIsReady {
            var status = pod.status
            guard var ready = status.condition("Ready") else { continue }
            ready["status"] = "False"
            ready["lastTransitionTime"] = .string(context.now.rfc3339)
            status.setCondition(ready)
            var changed = pod.json
            changed["status"] = status
            plan.update(pod, to: changed)
            plan.record(
                EventRecord(.warning, "NodeNotReady", "Node is not ready", about: pod))
        }
    }

    // MARK: Taints

    private mutating func updateTaints(
        _ node: inout Object, _ readiness: String, _ context: ReconcileContext,
        _ plan: inout Plan
    ) {
        let now = context.now
        let status = node.status
        var taints = NodeTaints(node)
        taints.set(NodeTaint.notReady, "NoSchedule", readiness == "False", now: now)
        taints.set(NodeTaint.unreachable, "NoSchedule", readiness == "Unknown", now: now)
        for (type, taint) in [
            ("MemoryPressure", NodeTaint.memoryPressure),
            ("DiskPressure", NodeTaint.diskPressure),
            ("PIDPressure", NodeTaint.pidPressure),
            ("NetworkUnavailable", NodeTaint.networkUnavailable),
        ] {
            taints.set(taint, "NoSchedule", status.conditionIsTrue(type), now: now)
        }
        taints.set(
            NodeTaint.unschedulable, "NoSchedule",
            node.spec["unschedulable"]?.boolValue ?? false, now: now)
        let evicted = readiness == "False" ? NodeTaint.notReady : NodeTaint.unreachable
        let other = readiness == "False" ? NodeTaint.unreachable : NodeTaint.notReady
        let isMarked =
            taints.has(NodeTaint.notReady, "NoExecute")
            || taints.has(NodeTaint.unreachable, "NoExecute")
        if readiness == "True" || !mayEvict(isMarked, context, &plan) {
            taints.set(evicted, "NoExecute", false, now: now)
            taints.set(other, "NoExecute", false, now: now)
        } else {
            taints.set(other, "NoExecute", false, now: now)
            taints.set(evicted, "NoExecute", true, now: now)
        }
        taints.write(to: &node)
    }

    /// Not when all nodes are lost, for then more likely we are; and not many at a time.
    private mutating func mayEvict(
        _ isMarked: Bool, _ context: ReconcileContext, _ plan: inout Plan
    ) -> Bool {
        let nodes = context.view.all(.node)
        let lost = nodes.count { Self.readiness(of: $0) != "True" }
        if lost == nodes.count { return false }
        if isMarked { return true }
        var pause = Self.evictionPauseSeconds
        if lost > 2, Double(lost) >= Double(nodes.count) * Self.unhealthyShare {
            guard nodes.count > Self.largeClusterNodes else { return false }
            pause *= 10
        }
        if let last = lastEviction, last.adding(seconds: pause) > context.now {
            plan.requeue(at: last.adding(seconds: pause), now: context.now)
            return false
        }
        lastEviction = context.now
        return true
    }
}
