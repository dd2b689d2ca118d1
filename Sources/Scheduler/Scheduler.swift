import Documents
package import Basics
package import Informers
import Objects

/// Gives pods to nodes, many in one commit.
///
/// The state mirrors the view and nothing else: what a plan binds counts within that plan and
/// then again only when the view shows it, so a commit that fails leaves nothing to undo.
package struct Scheduler: Reconciler {
    package static let name = "default-scheduler"
    /// Pods bound by one plan, and bytes of them, about.
    static let burst = 500
    static let burstBytesMax = 1 << 20
    /// Pods that one plan may find no node for; each costs a look at every node.
    static let failuresMax = 200

    package let component = Scheduler.name
    /// The one key: all pending pods are looked at together.
    static let key = ObjectReference(.pod, namespace: "", name: "pending")

    private struct Pending: Sendable {
        var needs: PodNeeds
        /// The `epoch` in which no node could take the pod.
        var failedIn: UInt64?
    }

    private var nodes: [NodeState] = []
    private var nodeIndex: [String: Int] = [:]
    private var pending: [ObjectReference: Pending] = [:]
    private var placed: [ObjectReference: (node: String, needs: PodNeeds)] = [:]
    /// Counts the changes that may let a refused pod in.
    private var epoch: UInt64 = 0

    package init() {}

    // MARK: Following the view

    package mutating func observe(
        _ change: Change, in view: borrowing ClusterView, now: WallTime, dirty: inout DirtyKeys
    ) {
        switch change.kind {
        case .node:
            guard NodeState.differs(change.old, change.new) else { return }
            let index = indexOfNode(change.reference.name)
            nodes[index].update(change.new)
            epoch += 1
        case .pod: observePod(change)
        default: return
        }
        if !pending.isEmpty { dirty.mark(Self.key) }
    }

    private mutating func observePod(_ change: Change) {
        let reference = change.reference
        let pod = change.new
        let node = pod?.json.path("spec", "nodeName")?.stringValue ?? ""
        let phase = pod?.json.path("status", "phase")?.stringValue
        let hasEnded = phase == "Succeeded" || phase == "Failed"
        if let old = placed[reference], pod == nil || hasEnded || old.node != node {
            nodes[indexOfNode(old.node)].remove(old.needs)
            placed[reference] = nil
            epoch += 1
        }
        guard let pod, !hasEnded else {
            pending[reference] = nil
            return
        }
        if !node.isEmpty {
            let known = pending.removeValue(forKey: reference)
            if placed[reference] == nil {
                let needs = known?.needs ?? PodNeeds(pod)
                nodes[indexOfNode(node)].add(needs)
                placed[reference] = (node, needs)
            }
        } else if isOurs(pod) {
            if change.old?.spec != pod.spec || pending[reference] == nil {
                pending[reference] = Pending(needs: PodNeeds(pod))
            }
        } else {
            pending[reference] = nil
        }
    }

    private func isOurs(_ pod: Object) -> Bool {
        let scheduler = pod.spec["schedulerName"]?.stringValue ?? ""
        return !pod.isBeingDeleted && (scheduler.isEmpty || scheduler == Self.name)
    }

    private mutating func indexOfNode(_ name: String) -> Int {
        if let index = nodeIndex[name] { return index }
        nodeIndex[name] = nodes.count
        nodes.append(NodeState(name: name))
        return nodes.count - 1
    }

    // MARK: Deciding

    package mutating func reconcile(
        _ key: ObjectReference, _ context: inout ReconcileContext
    ) -> Plan {
        var plan = Plan()
        var loads = nodes.map(\.load)
        var bound = 0
        var failed = 0
        for reference in order() {
            guard let pod = context.view[reference], let waiting = pending[reference] else {
                continue
            }
            guard bound < Self.burst, failed < Self.failuresMax,
                plan.byteCount < Self.burstBytesMax
            else {
                plan.requeue(afterMilliseconds: 1)
                break
            }
            if let gates = pod.spec["schedulingGates"]?.elements, !gates.isEmpty {
                pending[reference]?.failedIn = epoch
                refuse(
                    pod, reason: "SchedulingGated",
                    message: "Scheduling is blocked due to non-empty scheduling gates",
                    recording: false, &plan, now: context.now)
                continue
            }
            var diagnosis = Diagnosis()
            if let index = choose(waiting.needs, loads, &diagnosis) {
                loads[index].add(waiting.needs)
                bind(pod, to: nodes[index].name, &plan, now: context.now)
                bound += 1
            } else {
                pending[reference]?.failedIn = epoch
                failed += 1
                refuse(
                    pod, reason: "Unschedulable", message: diagnosis.message, recording: true,
                    &plan, now: context.now)
            }
        }
        return plan
    }

    /// Pods not yet refused in this epoch: by priority, then first come first served.
    private func order() -> [ObjectReference] {
        let waiting = pending.filter { $0.value.failedIn != epoch }
        return waiting.sorted { left, right in
            let (one, other) = (left.value.needs, right.value.needs)
            if one.priority != other.priority { return one.priority > other.priority }
            if one.created != other.created { return one.created < other.created }
            return left.key < right.key
        }.map(\.key)
    }

    private func choose(
        _ pod: PodNeeds, _ loads: [NodeState.Load], _ diagnosis: inout Diagnosis
    ) -> Int? {
        var candidates: [Scores.Candidate] = []
        for index in nodes.indices where nodes[index].exists {
            if let refusal = Filters.refusal(pod, nodes[index], loads[index]) {
                diagnosis.add(refusal)
            } else {
                candidates.append(
                    Scores.candidate(pod, nodes[index], loads[index], index: index))
            }
        }
        return Scores.best(candidates)?.index
    }

    private func bind(_ pod: Object, to node: String, _ plan: inout Plan, now: WallTime) {
        var changed = pod.json
        changed.set(.string(node), at: "spec", "nodeName")
        Self.setScheduled(
            &changed,
            [
                "type": "PodScheduled", "status": "True", "lastProbeTime": .null,
                "lastTransitionTime": .string(now.rfc3339),
            ])
        plan.update(pod, to: changed)
        plan.record(
            EventRecord(
                .normal, "Scheduled",
                "Successfully assigned \(pod.namespace)/\(pod.name) to \(node)", about: pod))
    }

    /// Says why, once for each different answer.
    private func refuse(
        _ pod: Object, reason: String, message: String, recording: Bool, _ plan: inout Plan,
        now: WallTime
    ) {
        let old = (pod.status["conditions"]?.elements ?? []).first {
            $0["type"]?.stringValue == "PodScheduled"
        }
        if old?["reason"]?.stringValue == reason, old?["message"]?.stringValue == message {
            return
        }
        var transition: JSON = .string(now.rfc3339)
        if old?["status"]?.stringValue == "False", let kept = old?["lastTransitionTime"] {
            transition = kept
        }
        var changed = pod.json
        Self.setScheduled(
            &changed,
            [
                "type": "PodScheduled", "status": "False", "lastProbeTime": .null,
                "lastTransitionTime": transition, "reason": .string(reason),
                "message": .string(message),
            ])
        plan.update(pod, to: changed)
        if recording {
            plan.record(EventRecord(.warning, "FailedScheduling", message, about: pod))
        }
    }

    private static func setScheduled(_ pod: inout JSON, _ condition: JSON) {
        var conditions = pod.path("status", "conditions")?.elements ?? []
        if let index = conditions.firstIndex(where: {
            $0["type"]?.stringValue == "PodScheduled"
        }) {
            conditions[index] = condition
        } else {
            conditions.append(condition)
        }
        pod.set(.array(conditions), at: "status", "conditions")
    }
}
