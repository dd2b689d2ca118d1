import Documents
package import Basics
package import Informers
import Objects

/// Keeps as many pods of a template as a ReplicaSet asks for.
///
/// Pods and the status that counts them change in one commit, so the status is true at every
/// revision.
package struct ReplicaSetController: Reconciler {
    /// Pods made or deleted by one plan.
    static let burst = 500
    /// Bytes of new pods in one plan, about: the entry must fit into the log with others.
    static let burstBytesMax = 1 << 20

    package let component = "replicaset-controller"

    package init() {}

    package mutating func observe(
        _ change: Change, in view: borrowing ClusterView, now: WallTime, dirty: inout DirtyKeys
    ) {
        switch change.kind {
        case .replicaSet:
            if change.new != nil { dirty.mark(change.reference) }
        case .pod:
            for pod in [change.old, change.new] {
                guard let owner = pod?.controllerOwner, owner.kind == "ReplicaSet" else {
                    continue
                }
                if let set = view.object(.replicaSet, change.reference.namespace, owner.name),
                    set.uid == owner.uid
                {
                    dirty.mark(set)
                }
            }
            if let pod = change.new, pod.controllerOwner == nil, !pod.isBeingDeleted {
                for set in view.all(.replicaSet, in: pod.namespace)
                where LabelMatcher(set.spec["selector"]).matches(pod) {
                    dirty.mark(set)
                }
            }
        default: break
        }
    }

    package mutating func reconcile(
        _ key: ObjectReference, _ context: inout ReconcileContext
    ) -> Plan {
        guard let set = context.view[key] else { return Plan() }
        var plan = Plan()
        let selector = LabelMatcher(set.spec["selector"])
        if selector.matchesEverything { return plan }
        let claims = Claims(
            owner: set, selector: selector,
            controlled: context.view.controlled(.pod, byUID: set.uid),
            orphans: context.view.orphans(.pod, in: set.namespace))
        var active = claims.owned.filter(\.podIsActive)
        var terminating = claims.owned.filter(\.podIsTerminating)
        var failure: Condition?
        var deleted: Set<ObjectReference> = []
        if !set.isBeingDeleted {
            let wanted = Int(set.spec["replicas"]?.intValue ?? 1)
            if active.count < wanted {
                let made = create(wanted - active.count, for: set, &context, &plan, &failure)
                active += made
            } else if active.count > wanted {
                let order = DeletionOrder(now: context.now)
                let sorted = order.sorted(active, related: related(to: set, active, context.view))
                let surplus = Array(sorted.prefix(min(active.count - wanted, Self.burst)))
                if active.count - wanted > surplus.count { plan.requeue(afterMilliseconds: 1) }
                for pod in surplus {
                    deleted.insert(ObjectReference(pod))
                    plan.delete(claims.stored(pod), now: context.now)
                    plan.record(
                        EventRecord(
                            .normal, "SuccessfulDelete", "Deleted pod: \(pod.name)", about: set))
                    if !pod.podNode.isEmpty { terminating.append(pod) }
                }
                active.removeAll { deleted.contains(ObjectReference($0)) }
            }
        }
        claims.write(to: &plan, except: deleted)
        let counts = ReplicaSetStatus(
            set: set, active: active, terminating: terminating, now: context.now)
        if let next = counts.nextAvailable { plan.requeue(at: next, now: context.now) }
        var changed = set.json
        changed["status"] = counts.json(failure: failure, now: context.now)
        if changed == set.json {
            if !plan.isEmpty { plan.require(set) }
        } else {
            plan.update(set, to: changed)
        }
        return plan
    }

    private func create(
        _ count: Int, for set: Object, _ context: inout ReconcileContext, _ plan: inout Plan,
        _ failure: inout Condition?
    ) -> [Object] {
        guard let namespace = context.view.object(.namespace, "", set.namespace),
            !namespace.isBeingDeleted
        else { return [] }
        let template = PodTemplate.pod(set.spec["template"] ?? [:], controller: set)
        var made: [Object] = []
        var names: Set<String> = []
        while made.count < min(count, Self.burst), plan.byteCount < Self.burstBytesMax {
            let pod: Object
            do throws(APIError) {
                pod = try context.make(.pod, template, namespace: set.namespace)
            } catch {
                failure = Condition(
                    type: "ReplicaFailure", status: "True", reason: "FailedCreate",
                    message: error.message)
                plan.record(
                    EventRecord(
                        .warning, "FailedCreate", "Error creating: \(error.message)", about: set))
                plan.fail("creating a pod: \(error.message)")
                return made
            }
            // Suffixes are short: another draw is cheaper than a refused commit.
            if context.view[ObjectReference(pod)] != nil || !names.insert(pod.name).inserted {
                continue
            }
            plan.create(pod)
            plan.record(
                EventRecord(.normal, "SuccessfulCreate", "Created pod: \(pod.name)", about: set))
            made.append(pod)
        }
        if made.count < count { plan.requeue(afterMilliseconds: 1) }
        return made
    }

    /// Active pods of every ReplicaSet that has the same controller.
    private func related(to set: Object, _ own: [Object], _ view: ClusterView) -> [Object] {
        guard let owner = set.controllerOwner else { return own }
        return view.controlled(.replicaSet, byUID: owner.uid)
            .flatMap { view.controlled(.pod, byUID: $0.uid) }
            .filter(\.podIsActive)
    }
}
