import Documents
package import Basics
package import Informers
import Objects

/// Empties a namespace that is being deleted, pods first, and then lets it go.
package struct NamespaceController: Reconciler {
    static let finalizer = "kubernetes"
    /// Deletions in one plan.
    static let burst = 1000
    /// Order in which kinds go: what makes other objects before what it makes, pods before all.
    static let kinds: [ResourceKind] =
        [.pod] + Kinds.all.filter { $0.isNamespaced && $0 != .pod && $0 != .event } + [.event]

    package let component = "namespace-controller"

    package init() {}

    package mutating func observe(
        _ change: Change, in view: borrowing ClusterView, now: WallTime, dirty: inout DirtyKeys
    ) {
        if change.kind == .namespace {
            if let namespace = change.new, namespace.isBeingDeleted { dirty.mark(namespace) }
            return
        }
        guard change.kind.isNamespaced,
            let namespace = view.object(.namespace, "", change.reference.namespace),
            namespace.isBeingDeleted
        else { return }
        dirty.mark(namespace)
    }

    package mutating func reconcile(
        _ key: ObjectReference, _ context: inout ReconcileContext
    ) -> Plan {
        guard let namespace = context.view[key], namespace.isBeingDeleted else { return Plan() }
        let finalizers = namespace.spec["finalizers"]?.elements ?? []
        guard finalizers.contains(.string(Self.finalizer)) else { return Plan() }
        var plan = Plan()
        var remaining: [(kind: ResourceKind, count: Int)] = []
        var waiting: [String: Int] = [:]
        for kind in Self.kinds where context.view.holds(kind) {
            let objects = context.view.all(kind, in: namespace.name)
            guard !objects.isEmpty else { continue }
            remaining.append((kind, objects.count))
            empty(objects, &plan, now: context.now)
            for object in objects {
                for finalizer in object.finalizers { waiting[finalizer, default: 0] += 1 }
            }
            // Pods go first: what they use must outlast them.
            if kind == .pod { break }
        }
        if remaining.isEmpty {
            release(namespace, finalizers, &plan, context.view)
        } else {
            report(namespace, remaining, waiting, &plan, now: context.now)
        }
        return plan
    }

    private func empty(_ objects: [Object], _ plan: inout Plan, now: WallTime) {
        var options = DeleteOptions()
        options.propagation = .background
        for object in objects {
            guard plan.mutations.count < Self.burst else {
                plan.requeue(afterMilliseconds: 1)
                return
            }
            if object.kind == .event {
                plan.remove(object)
            } else if !object.isBeingDeleted {
                plan.delete(object, options, now: now)
            }
        }
    }

    /// The namespace goes only if nothing has been put into it since it was seen empty.
    private func release(
        _ namespace: Object, _ finalizers: [JSON], _ plan: inout Plan, _ view: ClusterView
    ) {
        for kind in Self.kinds where view.holds(kind) {
            plan.requireUnchanged(kind.prefix(namespace: namespace.name), since: view.revision)
        }
        var changed = namespace.json
        let rest = finalizers.filter { $0 != .string(Self.finalizer) }
        changed.set(rest.isEmpty ? nil : .array(rest), at: "spec", "finalizers")
        plan.update(namespace, to: changed)
    }

    private func report(
        _ namespace: Object, _ remaining: [(kind: ResourceKind, count: Int)],
        _ waiting: [String: Int], _ plan: inout Plan, now: WallTime
    ) {
        var status = namespace.status
        let content = remaining.map {
            "\($0.kind.plural).\($0.kind.group) has \($0.count) resource instances"
        }
        let finalizers = waiting.keys.sorted().map {
            "\($0) in \(waiting[$0] ?? 0) resource instances"
        }
        let conditions = [
            Condition(
                type: "NamespaceDeletionDiscoveryFailure", status: "False",
                reason: "ResourcesDiscovered", message: "All resources successfully discovered"),
            Condition(
                type: "NamespaceDeletionGroupVersionParsingFailure", status: "False",
                reason: "ParsedGroupVersions",
                message: "All legacy kube types successfully parsed"),
            Condition(
                type: "NamespaceDeletionContentFailure", status: "False",
                reason: "ContentDeleted",
                message: "All content successfully deleted, may be waiting on finalization"),
            Condition(
                type: "NamespaceContentRemaining", status: "True", reason: "SomeResourcesRemain",
                message: "Some resources are remaining: " + content.joined(separator: ", ")),
            finalizers.isEmpty
                ? Condition(
                    type: "NamespaceFinalizersRemaining", status: "False",
                    reason: "ContentHasNoFinalizers",
                    message: "All content-preserving finalizers finished")
                : Condition(
                    type: "NamespaceFinalizersRemaining", status: "True",
                    reason: "SomeFinalizersRemain",
                    message: "Some content in the namespace has finalizers remaining: "
                        + finalizers.joined(separator: ", ")),
        ]
        for condition in conditions { status.setCondition(condition, now: now) }
        status["phase"] = "Terminating"
        var changed = namespace.json
        changed["status"] = status
        plan.update(namespace, to: changed)
    }
}
