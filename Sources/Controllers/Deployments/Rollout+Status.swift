import Documents
import Basics
import Informers
import Objects

extension Rollout {
    mutating func setProgressing(_ status: String, _ reason: String, _ message: String) {
        setCondition(
            Condition(type: "Progressing", status: status, reason: reason, message: message))
    }

    /// Leaves a condition alone that says the same already, its times included.
    private mutating func setCondition(_ condition: Condition) {
        var status = changed.status
        if let old = status.condition(condition.type),
            old["status"]?.stringValue == condition.status,
            old["reason"]?.stringValue == condition.reason
        {
            return
        }
        status.setCondition(condition, now: now, updateTime: true)
        changed.status = status
    }

    /// Paused time does not count against the deadline, so both ends of it are progress.
    mutating func checkPausedCondition() {
        guard progressDeadline != nil else { return }
        let reason = changed.status.condition("Progressing")?["reason"]?.stringValue
        if reason == DeploymentKeys.timedOut { return }
        if isPaused, reason != DeploymentKeys.paused {
            setProgressing("Unknown", DeploymentKeys.paused, "Deployment is paused")
        } else if !isPaused, reason == DeploymentKeys.paused {
            setProgressing("Unknown", DeploymentKeys.resumed, "Deployment is resumed")
        }
    }

    /// Counts and the Available condition.
    mutating func updateStatus() {
        let total = sum { $0.actual }
        let available = sum { $0.availableInStatus }
        var status = changed.status
        status.setCount("observedGeneration", deployment.generation)
        status.setCount("replicas", total)
        status.setCount("updatedReplicas", newSet?.actual ?? 0)
        status.setCount("readyReplicas", sum { $0.ready })
        status.setCount("availableReplicas", available)
        status.setCount("unavailableReplicas", max(0, total - available))
        status["terminatingReplicas"] = .integer(sum { $0.terminating })
        changed.status = status
        if available >= limits.minAvailable {
            setCondition(
                Condition(
                    type: "Available", status: "True", reason: DeploymentKeys.available,
                    message: "Deployment has minimum availability."))
        } else {
            setCondition(
                Condition(
                    type: "Available", status: "False", reason: DeploymentKeys.unavailable,
                    message: "Deployment does not have minimum availability."))
        }
    }

    private func sum(_ count: (ReplicaSetState) -> Int64) -> Int64 {
        sets.reduce(0) { $0 + ($1.isRemoved ? 0 : count($1)) }
    }

    /// Counts, and whether the rollout moves.
    mutating func updateRolloutStatus() {
        let current = changed.status.condition("Progressing")
        updateStatus()
        let status = changed.status
        if let deadline = progressDeadline {
            let isDone =
                status.count("replicas") == status.count("updatedReplicas")
                && current?["reason"]?.stringValue == DeploymentKeys.complete
            if !isDone { updateProgress(current, deadline) }
        } else {
            var status = changed.status
            status.removeCondition("Progressing")
            changed.status = status
        }
        updateReplicaFailure()
        requeueForDeadline()
    }

    private mutating func updateProgress(_ current: JSON?, _ deadline: Int64) {
        let subject =
            newSet.map { "ReplicaSet \"\($0.name)\"" } ?? "Deployment \"\(deployment.name)\""
        if isComplete(changed.status) {
            setProgressing(
                "True", DeploymentKeys.complete, "\(subject) has successfully progressed.")
        } else if isProgressing {
            // Every step restarts the deadline, so the condition is renewed even when it says
            // the same.
            var status = changed.status
            status.setCondition(
                Condition(
                    type: "Progressing", status: "True", reason: DeploymentKeys.updated,
                    message: "\(subject) is progressing."), now: now, updateTime: true)
            changed.status = status
        } else if hasTimedOut(deadline) {
            setProgressing(
                "False", DeploymentKeys.timedOut, "\(subject) has timed out progressing.")
        }
    }

    func isComplete(_ status: JSON) -> Bool {
        status.count("updatedReplicas") == limits.replicas
            && status.count("replicas") == limits.replicas
            && status.count("availableReplicas") == limits.replicas
            && status.count("observedGeneration") >= deployment.generation
    }

    private var isProgressing: Bool {
        let (old, new) = (deployment.status, changed.status)
        let oldRest = old.count("replicas") - old.count("updatedReplicas")
        let newRest = new.count("replicas") - new.count("updatedReplicas")
        return new.count("updatedReplicas") > old.count("updatedReplicas") || newRest < oldRest
            || new.count("readyReplicas") > old.count("readyReplicas")
            || new.count("availableReplicas") > old.count("availableReplicas")
    }

    private func hasTimedOut(_ deadline: Int64) -> Bool {
        guard let condition = changed.status.condition("Progressing") else { return false }
        let reason = condition["reason"]?.stringValue
        if reason == DeploymentKeys.complete { return false }
        if reason == DeploymentKeys.timedOut { return true }
        guard let from = condition.time("lastUpdateTime") else { return false }
        return from.adding(seconds: deadline) < now
    }

    private mutating func updateReplicaFailure() {
        let candidates = [newSet].compactMap { $0 } + oldIndices.map { sets[$0] }
        let failure = candidates.lazy.compactMap { $0.object.status.condition("ReplicaFailure") }
            .first
        if let failure {
            setCondition(
                Condition(
                    type: "ReplicaFailure", status: failure["status"]?.stringValue ?? "True",
                    reason: failure["reason"]?.stringValue ?? "",
                    message: failure["message"]?.stringValue ?? ""))
        } else {
            var status = changed.status
            status.removeCondition("ReplicaFailure")
            changed.status = status
        }
    }

    /// Comes back when the deadline has passed, if the rollout then still stands where it is.
    private mutating func requeueForDeadline() {
        guard let deadline = progressDeadline, !isComplete(changed.status),
            let condition = changed.status.condition("Progressing"),
            let from = condition.time("lastUpdateTime")
        else { return }
        let reason = condition["reason"]?.stringValue
        if reason == DeploymentKeys.complete || reason == DeploymentKeys.timedOut { return }
        plan.requeue(at: from.adding(seconds: deadline + 1), now: now)
    }
}
