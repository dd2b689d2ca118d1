import Documents
import Basics
import Informers
import Objects

/// One reconcile of a Deployment: working copies of its ReplicaSets and its status.
struct Rollout {
    let deployment: Object
    let limits: DeploymentLimits
    let now: WallTime
    /// Every ReplicaSet that the Deployment owns, and the one that the plan makes.
    var sets: [ReplicaSetState]
    /// Position in `sets` of the one with the Deployment's template.
    var newIndex: Int?
    /// The Deployment as the plan leaves it.
    var changed: Object
    var plan = Plan()

    init(deployment: Object, claims: Claims, now: WallTime) {
        self.deployment = deployment
        self.now = now
        limits = DeploymentLimits(deployment)
        changed = deployment
        sets = claims.owned.map { ReplicaSetState(stored: claims.stored($0), as: $0) }
        sets.sort(by: ReplicaSetState.isOlder)
        let template = TemplateHash.normalized(deployment.spec["template"] ?? [:])
        newIndex = sets.firstIndex { TemplateHash.normalized($0.template) == template }
    }

    var isPaused: Bool { deployment.spec["paused"]?.boolValue ?? false }

    /// Positions of the old sets, oldest first.
    var oldIndices: [Int] { sets.indices.filter { $0 != newIndex && !sets[$0].isRemoved } }
    var activeOldIndices: [Int] { oldIndices.filter { sets[$0].isActive } }
    var newSet: ReplicaSetState? { newIndex.map { sets[$0] } }
    var totalReplicas: Int64 { sets.reduce(0) { $0 + ($1.isRemoved ? 0 : $1.replicas) } }

    /// Seconds a rollout may go without progress; nil for no limit.
    var progressDeadline: Int64? {
        guard let seconds = deployment.spec["progressDeadlineSeconds"]?.intValue,
            seconds != Int64(Int32.max)
        else { return nil }
        return seconds
    }

    // MARK: Decision

    mutating func syncStatusOnly() {
        updateStatus()
    }

    mutating func run(_ context: inout ReconcileContext) {
        checkPausedCondition()
        if isPaused {
            syncRevision()
            scale()
            cleanUp()
            updateStatus()
            return
        }
        if isScalingEvent {
            syncRevision()
            scale()
            updateStatus()
            return
        }
        if limits.isRolling {
            roll(&context)
        } else {
            recreate(&context)
        }
        updateRolloutStatus()
    }

    private mutating func roll(_ context: inout ReconcileContext) {
        guard ensureNewSet(&context) else { return }
        if reconcileNewSet() { return }
        if reconcileOldSets() { return }
        if isComplete(deployment.status) { cleanUp() }
    }

    private mutating func recreate(_ context: inout ReconcileContext) {
        syncRevision()
        var hasScaled = false
        for index in activeOldIndices { hasScaled = scaleSet(index, to: 0) || hasScaled }
        if hasScaled || oldPodsRun(context.view) { return }
        if newIndex == nil { guard ensureNewSet(&context) else { return } }
        if let newIndex { _ = scaleSet(newIndex, to: limits.replicas) }
        if isComplete(deployment.status) { cleanUp() }
    }

    /// Pods that have not ended count even when their set is down to 0 or gone.
    private func oldPodsRun(_ view: ClusterView) -> Bool {
        for index in oldIndices {
            if sets[index].actual > 0 { return true }
            let pods = view.controlled(.pod, byUID: sets[index].object.uid)
            if pods.contains(where: { !$0.podHasEnded }) { return true }
        }
        return false
    }

    /// Desired sizes that active sets remember differ from the Deployment's: it was scaled.
    private var isScalingEvent: Bool {
        sets.contains { set in
            guard set.isActive, let desired = set.number(DeploymentKeys.desiredReplicas) else {
                return false
            }
            return desired != limits.replicas
        }
    }

    // MARK: Result

    mutating func finish(_ claims: Claims) -> Plan {
        for set in sets { set.write(to: &plan, now: now) }
        for (old, new) in claims.released { plan.update(old, to: new) }
        if changed.json == deployment.json {
            if plan.mutations.isEmpty {
                // Nothing to write: then there is nothing to guard either.
                var idle = Plan()
                if let delay = plan.requeueAfterMilliseconds {
                    idle.requeue(afterMilliseconds: delay)
                }
                if let failure = plan.failure { idle.fail(failure) }
                for event in plan.events { idle.record(event) }
                return idle
            }
            plan.require(deployment)
        } else {
            plan.update(deployment, to: changed.json)
        }
        return plan
    }

    /// Sets a size and what the set remembers of the Deployment's; answers whether it changed.
    mutating func scaleSet(_ index: Int, to size: Int64) -> Bool {
        let before = sets[index].replicas
        guard before != size else { return false }
        sets[index].replicas = size
        sets[index].setReplicaAnnotations(desired: limits.replicas, max: limits.maxTotal)
        recordScaling(sets[index].name, from: before, to: size)
        return true
    }

    mutating func recordScaling(_ name: String, from: Int64, to: Int64) {
        let direction = from < to ? "up" : "down"
        plan.record(
            EventRecord(
                .normal, "ScalingReplicaSet",
                "Scaled \(direction) replica set \(name) from \(from) to \(to)",
                about: deployment))
    }
}
