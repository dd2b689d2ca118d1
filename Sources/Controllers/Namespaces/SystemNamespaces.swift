import Documents
package import Basics
package import Informers
import Objects

/// Sees to it that the namespaces exist that every cluster has.
package struct SystemNamespaces: Reconciler {
    static let names = ["default", "kube-system", "kube-public", "kube-node-lease"]

    package let component = "namespace-controller"

    package init() {}

    package var startKeys: [ObjectReference] {
        Self.names.map { ObjectReference(.namespace, namespace: "", name: $0) }
    }

    package mutating func observe(
        _ change: Change, in view: borrowing ClusterView, now: WallTime, dirty: inout DirtyKeys
    ) {
        if change.kind == .namespace, change.isDeletion,
            Self.names.contains(change.reference.name)
        {
            dirty.mark(change.reference)
        }
    }

    package mutating func reconcile(
        _ key: ObjectReference, _ context: inout ReconcileContext
    ) -> Plan {
        var plan = Plan()
        guard context.view[key] == nil else { return plan }
        do throws(APIError) {
            plan.create(
                try context.make(
                    .namespace,
                    [
                        "apiVersion": "v1", "kind": "Namespace",
                        "metadata": ["name": .string(key.name)],
                    ], namespace: ""))
        } catch {
            plan.fail(error.message)
        }
        return plan
    }
}
