import Documents
import Basics
import Objects

/// What controllers ask of a pod.
extension Object {
    var podPhase: String { json.path("status", "phase")?.stringValue ?? "" }
    var podNode: String { json.path("spec", "nodeName")?.stringValue ?? "" }
    var podHasEnded: Bool { podPhase == "Succeeded" || podPhase == "Failed" }

    /// Runs or will run, and nobody has asked it to stop.
    var podIsActive: Bool { !podHasEnded && !isBeingDeleted }

    var podIsTerminating: Bool { !podHasEnded && isBeingDeleted }

    var podIsReady: Bool { status.conditionIsTrue("Ready") }

    /// When the pod became ready; nil while it is not.
    var podReadySince: WallTime? {
        guard podIsReady else { return nil }
        return status.condition("Ready")?.time("lastTransitionTime")
    }

    /// When the pod, ready without a break, counts as available; nil while it is not ready.
    func podAvailableAt(minReadySeconds: Int64) -> WallTime? {
        guard podIsReady else { return nil }
        if minReadySeconds == 0 { return WallTime(seconds: 0) }
        return podReadySince?.adding(seconds: minReadySeconds)
    }

    var podRestarts: Int64 {
        (json.path("status", "containerStatuses")?.elements ?? [])
            .reduce(0) { max($0, $1["restartCount"]?.intValue ?? 0) }
    }
}
