import Documents
package import Basics
package import Informers
import Objects

/// Keeps one object of a fixed name in every namespace that is not going: the `default`
/// ServiceAccount, or the ConfigMap with the cluster's certificate authority.
package struct NamespaceObjects: Reconciler {
    package let component: String
    private let kind: ResourceKind
    private let name: String
    /// Members that must be as they are here; others are left alone.
    private let content: JSON

    /// The ServiceAccount `default`.
    package static var serviceAccounts: NamespaceObjects {
        NamespaceObjects(
            component: "service-account-controller", kind: .serviceAccount, name: "default",
            content: [:])
    }

    /// The ConfigMap `kube-root-ca.crt`, by which pods verify the API server.
    package static func rootCertificates(_ certificatePEM: String) -> NamespaceObjects {
        NamespaceObjects(
            component: "root-ca-certificate-publisher", kind: .configMap,
            name: "kube-root-ca.crt", content: ["data": ["ca.crt": .string(certificatePEM)]])
    }

    private init(component: String, kind: ResourceKind, name: String, content: JSON) {
        self.component = component
        self.kind = kind
        self.name = name
        self.content = content
    }

    package mutating func observe(
        _ change: Change, in view: borrowing ClusterView, now: WallTime, dirty: inout DirtyKeys
    ) {
        if change.kind == .namespace, change.new != nil {
            dirty.mark(change.reference)
        } else if change.kind == kind, change.reference.name == name {
            dirty.mark(
                ObjectReference(.namespace, namespace: "", name: change.reference.namespace))
        }
    }

    package mutating func reconcile(
        _ key: ObjectReference, _ context: inout ReconcileContext
    ) -> Plan {
        var plan = Plan()
        guard let namespace = context.view[key], !namespace.isBeingDeleted else { return plan }
        if let present = context.view.object(kind, namespace.name, name) {
            guard !present.isBeingDeleted else { return plan }
            var changed = present.json
            for member in content.objectValue ?? JSONObject() {
                changed[member.key] = member.value
            }
            plan.update(present, to: changed)
            return plan
        }
        var json: JSON = [
            "apiVersion": .string(kind.apiVersion), "kind": .string(kind.kind),
            "metadata": ["name": .string(name), "namespace": .string(namespace.name)],
        ]
        if kind == .configMap {
            json.set(
                .string(
                    "Contains a CA bundle that can be used to verify the kube-apiserver when "
                        + "using internal endpoints such as the internal service IP or "
                        + "kubernetes.default.svc. No other usage is guaranteed across "
                        + "distributions of Kubernetes clusters."),
                at: "metadata", "annotations", "kubernetes.io/description")
        }
        for member in content.objectValue ?? JSONObject() { json[member.key] = member.value }
        do throws(APIError) {
            plan.create(try context.make(kind, json, namespace: namespace.name))
            // Not into a namespace that began to go meanwhile.
            plan.require(namespace)
        } catch {
            plan.fail(error.message)
        }
        return plan
    }
}
