package import Basics
package import Informers
import Objects

/// Deletes what has lost its owners, and carries out foreground and orphaning deletions.
///
/// The view's index of owners is the graph; it is of one revision, so an owner that is not in it
/// does not exist, and the commit checks that this is still so.
package struct GarbageCollector: Reconciler {
    static let orphanFinalizer = "orphan"
    static let foregroundFinalizer = "foregroundDeletion"
    /// Dependents changed by one plan.
    static let burst = 500
    /// Bytes of dependents rewritten by one plan, about.
    static let burstBytesMax = 4 << 20

    package let component = "garbage-collector-controller"

    package init() {}

    package mutating func observe(
        _ change: Change, in view: borrowing ClusterView, now: WallTime, dirty: inout DirtyKeys
    ) {
        let old = change.old
        guard let new = change.new else {
            guard let old else { return }
            for dependent in view.dependents(ofUID: old.uid) { dirty.mark(dependent) }
            markOwners(of: old, in: view, &dirty)
            return
        }
        let owners = new.ownerReferences
        if let old, old.ownerReferences != owners { markOwners(of: old, in: view, &dirty) }
        if !owners.isEmpty, old?.ownerReferences != owners || Self.collects(new) {
            dirty.mark(new)
        }
        if Self.collects(new), old.map(Self.collects) != true {
            dirty.mark(new)
            for dependent in view.dependents(ofUID: new.uid) { dirty.mark(dependent) }
        }
    }

    /// Owners that wait for their dependents may be done.
    private func markOwners(
        of object: Object, in view: borrowing ClusterView, _ dirty: inout DirtyKeys
    ) {
        for reference in object.ownerReferences {
            if let owner = view.object(uid: reference.uid), owner.isBeingDeleted {
                dirty.mark(owner)
            }
        }
    }

    /// Whether the object's deletion waits for this controller.
    private static func collects(_ object: Object) -> Bool {
        guard object.isBeingDeleted else { return false }
        let finalizers = object.finalizers
        return finalizers.contains(orphanFinalizer) || finalizers.contains(foregroundFinalizer)
    }

    static func waitsForDependents(_ object: Object) -> Bool {
        object.isBeingDeleted && object.finalizers.contains(foregroundFinalizer)
    }

    package mutating func reconcile(
        _ key: ObjectReference, _ context: inout ReconcileContext
    ) -> Plan {
        guard let object = context.view[key], !object.uid.isEmpty else { return Plan() }
        if object.isBeingDeleted {
            if object.finalizers.contains(Self.orphanFinalizer) {
                return orphanDependents(of: object, context.view)
            }
            if object.finalizers.contains(Self.foregroundFinalizer) {
                return finishForeground(object, context.view)
            }
            return Plan()
        }
        guard !object.ownerReferences.isEmpty else { return Plan() }
        return collect(object, Ownership(of: object, in: context.view), context)
    }

    /// Takes the owner out of its dependents, and then the finalizer off the owner.
    private func orphanDependents(of owner: Object, _ view: ClusterView) -> Plan {
        var plan = Plan()
        let dependents = view.dependents(ofUID: owner.uid)
        var done = 0
        for dependent in dependents.prefix(Self.burst) where plan.byteCount < Self.burstBytesMax {
            done += 1
            var changed = dependent
            changed.ownerReferences = dependent.ownerReferences.filter { $0.uid != owner.uid }
            plan.update(dependent, to: changed.json)
        }
        if done < dependents.count {
            plan.require(owner)
            plan.requeue(afterMilliseconds: 1)
        } else {
            removeFinalizer(Self.orphanFinalizer, from: owner, &plan)
        }
        return plan
    }

    /// Lets the owner go once no dependent that blocks it is left.
    private func finishForeground(_ owner: Object, _ view: ClusterView) -> Plan {
        var plan = Plan()
        let isBlocked = view.dependents(ofUID: owner.uid).contains { dependent in
            dependent.ownerReferences.contains { $0.uid == owner.uid && $0.blocksOwnerDeletion }
        }
        if !isBlocked { removeFinalizer(Self.foregroundFinalizer, from: owner, &plan) }
        return plan
    }

    private func removeFinalizer(_ name: String, from object: Object, _ plan: inout Plan) {
        var changed = object
        changed.finalizers = object.finalizers.filter { $0 != name }
        plan.update(object, to: changed.json)
    }

    private func collect(
        _ object: Object, _ ownership: Ownership, _ context: ReconcileContext
    ) -> Plan {
        var plan = Plan()
        for reference in ownership.misplaced {
            plan.record(
                EventRecord(
                    .warning, "OwnerRefInvalidNamespace",
                    "ownerRef [\(reference.apiVersion)/\(reference.kind), namespace: "
                        + "\(object.namespace), name: \(reference.name), uid: \(reference.uid)] "
                        + "does not exist in namespace \"\(object.namespace)\"", about: object))
        }
        if !ownership.solid.isEmpty {
            let gone = Set((ownership.dangling + ownership.waiting).map(\.uid))
            guard !gone.isEmpty else { return plan }
            var changed = object
            changed.ownerReferences = object.ownerReferences.filter { !gone.contains($0.uid) }
            plan.update(object, to: changed.json)
            ownership.guardAbsence(&plan)
            return plan
        }
        var options = DeleteOptions()
        options.preconditionUID = object.uid
        var target = object
        let dependents = context.view.dependents(ofUID: object.uid)
        if !ownership.waiting.isEmpty, !dependents.isEmpty {
            // A dependent that waits for this object in turn would wait for ever.
            if dependents.contains(where: Self.waitsForDependents) {
                target.ownerReferences = object.ownerReferences.map {
                    var reference = $0
                    reference.blocksOwnerDeletion = false
                    return reference
                }
            }
            options.propagation = .foreground
        } else if object.finalizers.contains(Self.orphanFinalizer) {
            options.propagation = .orphan
        } else if object.finalizers.contains(Self.foregroundFinalizer) {
            options.propagation = .foreground
        } else {
            options.propagation = .background
        }
        plan.delete(target, options, now: context.now)
        ownership.guardAbsence(&plan)
        return plan
    }
}
