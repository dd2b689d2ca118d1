import Documents
import Basics
import Informers
import Objects

/// The counts of a ReplicaSet's pods.
struct ReplicaSetStatus {
    private let set: Object
    private let replicas: Int
    private let fullyLabeled: Int
    private let ready: Int
    private let available: Int
    private let terminating: Int
    /// When the next ready pod has been so for long enough.
    private(set) var nextAvailable: WallTime?

    init(set: Object, active: [Object], terminating: [Object], now: WallTime) {
        self.set = set
        self.terminating = terminating.count
        replicas = active.count
        let template = LabelMatcher([
            "matchLabels": set.spec.path("template", "metadata", "labels") ?? [:]
        ])
        fullyLabeled = active.count { template.matches($0) }
        let minimum = set.spec["minReadySeconds"]?.intValue ?? 0
        var ready = 0
        var available = 0
        for pod in active where pod.podIsReady {
            ready += 1
            guard let time = pod.podAvailableAt(minReadySeconds: minimum) else { continue }
            if time <= now {
                available += 1
            } else {
                nextAvailable = min(nextAvailable ?? time, time)
            }
        }
        self.ready = ready
        self.available = available
    }

    /// The status to store; conditions other than the failure are kept.
    func json(failure: Condition?, now: WallTime) -> JSON {
        var status = set.status
        status["replicas"] = .integer(Int64(replicas))
        status.setCount("fullyLabeledReplicas", Int64(fullyLabeled))
        status.setCount("readyReplicas", Int64(ready))
        status.setCount("availableReplicas", Int64(available))
        status["terminatingReplicas"] = .integer(Int64(terminating))
        status.setCount("observedGeneration", set.generation)
        if let failure {
            if status.condition("ReplicaFailure") == nil {
                status.setCondition(failure, now: now)
            }
        } else {
            status.removeCondition("ReplicaFailure")
        }
        return status
    }
}
