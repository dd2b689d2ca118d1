import Informers
import Objects

/// The owners that an object names, sorted by what holds of them at the view's revision.
struct Ownership {
    /// Owners that exist, or whose existence cannot be told.
    var solid: [OwnerReference] = []
    /// Owners that do not exist.
    var dangling: [OwnerReference] = []
    /// Owners that wait for their dependents to go first.
    var waiting: [OwnerReference] = []
    /// Owners that exist, but in a namespace where they own nothing here.
    var misplaced: [OwnerReference] = []
    private var absent: [ObjectReference] = []
    private var replaced: [Object] = []

    init(of object: Object, in view: ClusterView) {
        for reference in object.ownerReferences {
            guard let kind = Self.kind(of: reference), view.holds(kind) else {
                solid.append(reference)
                continue
            }
            if kind.isNamespaced, !object.kind.isNamespaced {
                // Nowhere to look for it, so it can never be told absent.
                misplaced.append(reference)
                solid.append(reference)
                continue
            }
            let place = ObjectReference(
                kind, namespace: kind.isNamespaced ? object.namespace : "", name: reference.name)
            guard let owner = view[place] else {
                absent.append(place)
                dangling.append(reference)
                if view.object(uid: reference.uid) != nil { misplaced.append(reference) }
                continue
            }
            if owner.uid != reference.uid {
                replaced.append(owner)
                dangling.append(reference)
            } else if GarbageCollector.waitsForDependents(owner) {
                waiting.append(reference)
            } else {
                solid.append(reference)
            }
        }
    }

    /// Served versions of a group are the same objects.
    private static func kind(of reference: OwnerReference) -> ResourceKind? {
        if let kind = Kinds.find(apiVersion: reference.apiVersion, kind: reference.kind) {
            return kind
        }
        let group =
            reference.apiVersion.contains("/")
            ? String(reference.apiVersion.prefix { $0 != "/" }) : ""
        return Kinds.all.first { $0.group == group && $0.kind == reference.kind }
    }

    /// The plan holds only while the owners that are missing stay so.
    func guardAbsence(_ plan: inout Plan) {
        guard !plan.isEmpty else { return }
        for place in absent { plan.requireAbsent(place) }
        for owner in replaced { plan.require(owner) }
    }
}
