import Documents
package import Basics
package import Informers
import Objects

/// Rolls the pods of a Deployment from one ReplicaSet to the next.
///
/// One plan changes the Deployment's status and all its ReplicaSets in one commit.
package struct DeploymentController: Reconciler {
    package let component = "deployment-controller"

    package init() {}

    package mutating func observe(
        _ change: Change, in view: borrowing ClusterView, now: WallTime, dirty: inout DirtyKeys
    ) {
        switch change.kind {
        case .deployment:
            if change.new != nil { dirty.mark(change.reference) }
        case .replicaSet:
            for set in [change.old, change.new] {
                if let set { markOwner(of: set, in: view, &dirty) }
            }
            if let set = change.new, set.controllerOwner == nil, !set.isBeingDeleted {
                for deployment in view.all(.deployment, in: set.namespace)
                where LabelMatcher(deployment.spec["selector"]).matches(set) {
                    dirty.mark(deployment)
                }
            }
        case .pod:
            // Recreate waits until the last old pod is gone.
            guard change.isDeletion, let owner = change.old?.controllerOwner,
                owner.kind == "ReplicaSet",
                let set = view.object(.replicaSet, change.reference.namespace, owner.name)
            else { return }
            markOwner(of: set, in: view, &dirty)
        default: break
        }
    }

    private func markOwner(
        of set: Object, in view: borrowing ClusterView, _ dirty: inout DirtyKeys
    ) {
        guard let owner = set.controllerOwner, owner.kind == "Deployment",
            let deployment = view.object(.deployment, set.namespace, owner.name),
            deployment.uid == owner.uid
        else { return }
        dirty.mark(deployment)
    }

    package mutating func reconcile(
        _ key: ObjectReference, _ context: inout ReconcileContext
    ) -> Plan {
        guard let deployment = context.view[key] else { return Plan() }
        let selector = LabelMatcher(deployment.spec["selector"])
        if selector.matchesEverything { return selectsAll(deployment) }
        let claims = Claims(
            owner: deployment, selector: selector,
            controlled: context.view.controlled(.replicaSet, byUID: deployment.uid),
            orphans: context.view.orphans(.replicaSet, in: deployment.namespace))
        var rollout = Rollout(deployment: deployment, claims: claims, now: context.now)
        if deployment.isBeingDeleted {
            rollout.syncStatusOnly()
        } else if let namespace = context.view.object(.namespace, "", deployment.namespace),
            !namespace.isBeingDeleted
        {
            rollout.run(&context)
        }
        return rollout.finish(claims)
    }

    /// A selector of everything would take every pod; upstream warns and does nothing.
    private func selectsAll(_ deployment: Object) -> Plan {
        var plan = Plan()
        guard deployment.status.count("observedGeneration") < deployment.generation else {
            return plan
        }
        plan.record(
            EventRecord(
                .warning, "SelectingAll",
                "This deployment is selecting all pods. A non-empty selector is required.",
                about: deployment))
        var changed = deployment.json
        changed.set(.integer(deployment.generation), at: "status", "observedGeneration")
        plan.update(deployment, to: changed)
        return plan
    }
}
