/// Annotations, labels and reasons that Deployments and their ReplicaSets carry.
enum DeploymentKeys {
    static let revision = "deployment.kubernetes.io/revision"
    static let revisionHistory = "deployment.kubernetes.io/revision-history"
    static let desiredReplicas = "deployment.kubernetes.io/desired-replicas"
    static let maxReplicas = "deployment.kubernetes.io/max-replicas"
    static let hashLabel = "pod-template-hash"

    /// Annotations of a Deployment that its ReplicaSets do not get.
    static let notCopied = [
        "kubectl.kubernetes.io/last-applied-configuration", revision, revisionHistory,
        desiredReplicas, maxReplicas, "deprecated.deployment.rollback.to",
    ]
    /// Longest revision history, in bytes.
    static let historyBytesMax = 2000

    static let available = "MinimumReplicasAvailable"
    static let unavailable = "MinimumReplicasUnavailable"
    static let created = "NewReplicaSetCreated"
    static let found = "FoundNewReplicaSet"
    static let updated = "ReplicaSetUpdated"
    static let complete = "NewReplicaSetAvailable"
    static let timedOut = "ProgressDeadlineExceeded"
    static let paused = "DeploymentPaused"
    static let resumed = "DeploymentResumed"
}
