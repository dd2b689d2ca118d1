package import Documents
package import Basics

extension Strategy {
    private static let orphanFinalizer = "orphan"
    private static let foregroundFinalizer = "foregroundDeletion"

    /// What deleting the stored object means now: it goes at once, or is marked and waits for
    /// the node (pods with a grace period) or for its finalizers.
    package static func prepareDelete(
        _ kind: ResourceKind, old: Object, options: DeleteOptions, now: WallTime
    ) throws(APIError) -> DeleteDecision {
        try checkPreconditions(kind, old: old, options: options)
        var object = old
        object.finalizers = finalizers(of: old, options: options)
        let grace = gracePeriod(kind, old: old, options: options)
        if kind == .namespace { return deleteNamespace(object, old: old, now: now) }
        if object.finalizers.isEmpty, grace == 0 { return .remove }
        mark(&object, grace: grace, now: now)
        return object.json == old.json ? .unchanged : .update(object.json)
    }

    /// Whether an object that was updated has nothing left to wait for and goes now.
    package static func isDeletionComplete(_ kind: ResourceKind, _ json: JSON) -> Bool {
        guard json.path("metadata", "deletionTimestamp") != nil,
            json.path("metadata", "finalizers")?.elements.isEmpty ?? true
        else { return false }
        if kind == .namespace {
            return json.path("spec", "finalizers")?.elements.isEmpty ?? true
        }
        return (json.path("metadata", "deletionGracePeriodSeconds")?.intValue ?? 0) == 0
    }

    private static func checkPreconditions(
        _ kind: ResourceKind, old: Object, options: DeleteOptions
    ) throws(APIError) {
        if let uid = options.preconditionUID, uid != old.uid {
            throw preconditionFailed(
                kind, old.name,
                "the UID in the precondition (\(uid)) does not match the UID in record "
                    + "(\(old.uid)). The object might have been deleted and then recreated")
        }
        if let version = options.preconditionResourceVersion, version != String(old.revision) {
            throw preconditionFailed(
                kind, old.name,
                "the ResourceVersion in the precondition (\(version)) does not match the "
                    + "ResourceVersion in record (\(old.revision)). The object might have been "
                    + "modified")
        }
    }

    /// Upstream names the kind here, not the resource.
    private static func preconditionFailed(
        _ kind: ResourceKind, _ name: String, _ cause: String
    ) -> APIError {
        var details = APIError.details(kind, name: name, usesPlural: true)
        details["kind"] = .string(kind.kind)
        return APIError(
            code: 409, reason: "Conflict",
            message: "Operation cannot be fulfilled on \(kind.qualifiedKind) \"\(name)\": \(cause)",
            details: details)
    }

    /// Propagation is written into the finalizers; the garbage collector acts on them.
    private static func finalizers(of old: Object, options: DeleteOptions) -> [String] {
        guard let propagation = options.propagation else { return old.finalizers }
        var finalizers = old.finalizers.filter {
            $0 != orphanFinalizer && $0 != foregroundFinalizer
        }
        switch propagation {
        case .orphan: finalizers.append(orphanFinalizer)
        case .foreground: finalizers.append(foregroundFinalizer)
        case .background: break
        }
        return Set(finalizers) == Set(old.finalizers) ? old.finalizers : finalizers
    }

    /// Only pods have one: what the request says, else the pod's own. A pod that no node has, or
    /// that has ended, waits for nobody.
    private static func gracePeriod(
        _ kind: ResourceKind, old: Object, options: DeleteOptions
    ) -> Int64 {
        guard kind == .pod else { return 0 }
        // A second request without a period waits for what the first one set.
        let current = old.isBeingDeleted ? old.deletionGracePeriodSeconds ?? 0 : nil
        if current == 0 { return 0 }
        var grace =
            options.gracePeriodSeconds ?? current
            ?? old.spec["terminationGracePeriodSeconds"]?.intValue ?? 30
        if grace < 0 { grace = 1 }
        if current != nil { return grace }
        let phase = old.status["phase"]?.stringValue
        if (old.spec["nodeName"]?.stringValue ?? "").isEmpty || phase == "Failed"
            || phase == "Succeeded"
        {
            grace = 0
        }
        return grace
    }

    private static func deleteNamespace(
        _ marked: Object, old: Object, now: WallTime
    ) -> DeleteDecision {
        var object = marked
        let specFinalizers = old.spec["finalizers"]?.elements ?? []
        if object.finalizers.isEmpty, specFinalizers.isEmpty { return .remove }
        if !old.isBeingDeleted {
            object.json.set(.string(now.rfc3339), at: "metadata", "deletionTimestamp")
        }
        object.json.set("Terminating", at: "status", "phase")
        return object.json == old.json ? .unchanged : .update(object.json)
    }

    /// A second delete can only shorten the grace period of the first.
    private static func mark(_ object: inout Object, grace: Int64, now: WallTime) {
        if object.isBeingDeleted {
            let current = object.deletionGracePeriodSeconds ?? 0
            guard grace < current, let until = object.deletionTimestamp else { return }
            // The deletion time counts from when the first request came.
            let moved = until.adding(seconds: grace - current)
            object.json.set(.string(moved.rfc3339), at: "metadata", "deletionTimestamp")
            object.json.set(.integer(grace), at: "metadata", "deletionGracePeriodSeconds")
            return
        }
        object.json.set(
            .string(now.adding(seconds: grace).rfc3339), at: "metadata", "deletionTimestamp")
        object.json.set(.integer(grace), at: "metadata", "deletionGracePeriodSeconds")
        if hasGeneration(object.kind) {
            object.json.set(.integer(object.generation + 1), at: "metadata", "generation")
        }
    }
}
