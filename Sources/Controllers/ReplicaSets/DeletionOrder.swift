import Basics
import Objects

/// Which pods a shrinking ReplicaSet gives up first: those whose loss costs least.
struct DeletionOrder {
    private struct Rank {
        var pod: Object
        var isAssigned: Bool
        var phase: Int
        var isReady: Bool
        var cost: Int64
        /// Ready pods of the same owner on the node.
        var siblings: Int
        var readySince: WallTime?
        var restarts: Int64
        var created: WallTime
    }

    let now: WallTime

    /// - Parameter related: active pods of every ReplicaSet of the same owner.
    func sorted(_ pods: [Object], related: [Object]) -> [Object] {
        var readyOnNode: [String: Int] = [:]
        for pod in related where pod.podIsReady { readyOnNode[pod.podNode, default: 0] += 1 }
        let ranks = pods.map { pod in
            Rank(
                pod: pod, isAssigned: !pod.podNode.isEmpty,
                phase: Self.phaseRank(pod.podPhase), isReady: pod.podIsReady,
                cost: pod.annotation("controller.kubernetes.io/pod-deletion-cost")
                    .flatMap { Int64($0) } ?? 0,
                siblings: readyOnNode[pod.podNode] ?? 0, readySince: pod.podReadySince,
                restarts: pod.podRestarts,
                created: pod.creationTimestamp ?? WallTime(microseconds: 0))
        }
        return ranks.sorted(by: goesBefore).map(\.pod)
    }

    private static func phaseRank(_ phase: String) -> Int {
        switch phase {
        case "Pending": 0
        case "Unknown": 1
        default: 2
        }
    }

    private func goesBefore(_ left: Rank, _ right: Rank) -> Bool {
        if left.isAssigned != right.isAssigned { return !left.isAssigned }
        if left.phase != right.phase { return left.phase < right.phase }
        if left.isReady != right.isReady { return !left.isReady }
        if left.cost != right.cost { return left.cost < right.cost }
        if left.siblings != right.siblings { return left.siblings > right.siblings }
        if left.isReady, left.readySince != right.readySince {
            guard let leftTime = left.readySince else { return true }
            guard let rightTime = right.readySince else { return false }
            return isYounger(left.pod, leftTime, right.pod, rightTime)
        }
        if left.restarts != right.restarts { return left.restarts > right.restarts }
        if left.created != right.created {
            return isYounger(left.pod, left.created, right.pod, right.created)
        }
        return left.pod.uid < right.pod.uid
    }

    /// Ages count by powers of two, so that among pods of about the same age chance decides.
    private func isYounger(
        _ left: Object, _ leftTime: WallTime, _ right: Object, _ rightTime: WallTime
    ) -> Bool {
        let leftAge = logarithm(since: leftTime)
        let rightAge = logarithm(since: rightTime)
        return leftAge == rightAge ? left.uid < right.uid : leftAge < rightAge
    }

    private func logarithm(since time: WallTime) -> Int {
        let age = now.microseconds - time.microseconds
        return age <= 0 ? -1 : Int64.bitWidth - 1 - (age * 1000).leadingZeroBitCount
    }
}
