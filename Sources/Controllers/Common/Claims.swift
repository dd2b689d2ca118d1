import Documents
import Informers
import Objects

/// Which objects a controller owns at this revision, and which it takes or lets go.
struct Claims {
    /// Owned after the plan, as they will stand.
    var owned: [Object] = []
    /// As stored and as they shall be: adopted (in `owned`) and released (not in `owned`).
    var adopted: [(old: Object, new: JSON)] = []
    var released: [(old: Object, new: JSON)] = []

    /// - Parameters:
    ///   - controlled: objects whose controller is `owner`.
    ///   - orphans: objects of the namespace without a controller.
    init(owner: Object, selector: LabelMatcher, controlled: [Object], orphans: [Object]) {
        for object in controlled {
            if selector.matches(object) {
                owned.append(object)
            } else if !owner.isBeingDeleted {
                var changed = object
                changed.ownerReferences = object.ownerReferences.filter { $0.uid != owner.uid }
                released.append((object, changed.json))
            }
        }
        guard !owner.isBeingDeleted else { return }
        for object in orphans where !object.isBeingDeleted && selector.matches(object) {
            var changed = object
            changed.ownerReferences =
                object.ownerReferences.filter { $0.uid != owner.uid }
                + [OwnerReference(controller: owner)]
            adopted.append((object, changed.json))
            owned.append(changed)
        }
        owned.sort { ObjectReference($0) < ObjectReference($1) }
    }

    /// Writes the changes of ownership, except of objects that the plan deletes anyway.
    func write(to plan: inout Plan, except deleted: Set<ObjectReference> = []) {
        for (old, new) in adopted + released where !deleted.contains(ObjectReference(old)) {
            plan.update(old, to: new)
        }
    }

    /// The object as it is stored, for one of `owned`.
    func stored(_ object: Object) -> Object {
        let reference = ObjectReference(object)
        return adopted.first { ObjectReference($0.old) == reference }?.old ?? object
    }
}
