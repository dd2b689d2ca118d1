import Informers
import Objects

/// Ranks the nodes that can take a pod. Scores are 0 to 100 each, with upstream's weights.
enum Scores {
    private static let taintWeight: Int64 = 3
    private static let affinityWeight: Int64 = 2
    private static let spreadWeight: Int64 = 2

    struct Candidate {
        /// Position of the node.
        var index: Int
        var pods: Int64
        fileprivate var fixed: Int64
        fileprivate var siblings: Int64
        fileprivate var softTaints: Int64
        fileprivate var preference: Int64
    }

    static func candidate(
        _ pod: PodNeeds, _ node: NodeState, _ load: NodeState.Load, index: Int
    ) -> Candidate {
        let cpu = load.scored.milliCPU + pod.scored.milliCPU
        let memory = load.scored.memoryBytes + pod.scored.memoryBytes
        let freeCPU = free(cpu, of: node.allocatable.milliCPU)
        let freeMemory = free(memory, of: node.allocatable.memoryBytes)
        let least = (freeCPU + freeMemory) / 2
        // Half the distance of the two fractions is their standard deviation.
        let balanced = 100 - abs(freeCPU - freeMemory) / 2
        let preference = pod.preferredTerms.reduce(0) {
            $0 + ($1.term.matches(node) ? $1.weight : 0)
        }
        return Candidate(
            index: index, pods: load.pods, fixed: least + balanced,
            siblings: pod.ownerUID.flatMap { load.byOwner[$0] } ?? 0,
            softTaints: Int64(
                node.softTaints.count { !Toleration.isTolerated($0, by: pod.tolerations) }),
            preference: preference)
    }

    private static func free(_ used: Int64, of capacity: Int64) -> Int64 {
        guard capacity > 0, used < capacity else { return 0 }
        return Int64((Double(capacity - used) * 100 / Double(capacity)).rounded(.down))
    }

    /// The best candidate; among equals the one with fewest pods, then the first.
    static func best(_ candidates: [Candidate]) -> Candidate? {
        let siblingsMax = candidates.reduce(0) { max($0, $1.siblings) }
        let taintsMax = candidates.reduce(0) { max($0, $1.softTaints) }
        let preferenceMax = candidates.reduce(0) { max($0, $1.preference) }
        var best: (candidate: Candidate, score: Int64)?
        for candidate in candidates {
            var score = candidate.fixed
            if siblingsMax > 0 {
                score += spreadWeight * 100 * (siblingsMax - candidate.siblings) / siblingsMax
            }
            if taintsMax > 0 {
                score += taintWeight * 100 * (taintsMax - candidate.softTaints) / taintsMax
            }
            if preferenceMax > 0 {
                score += affinityWeight * 100 * candidate.preference / preferenceMax
            }
            guard let current = best else {
                best = (candidate, score)
                continue
            }
            if score > current.score
                || (score == current.score && candidate.pods < current.candidate.pods)
            {
                best = (candidate, score)
            }
        }
        return best?.candidate
    }
}
