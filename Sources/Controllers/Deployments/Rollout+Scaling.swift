import Objects

extension Rollout {
    /// The size that the new set may have now.
    func newSetSize(_ index: Int) -> Int64 {
        guard limits.isRolling else { return limits.replicas }
        let current = sets[index].replicas
        let room = limits.maxTotal - totalReplicas
        guard room > 0 else { return current }
        return current + max(0, min(room, limits.replicas - current))
    }

    mutating func reconcileNewSet() -> Bool {
        guard let newIndex, sets[newIndex].replicas != limits.replicas else { return false }
        if sets[newIndex].replicas > limits.replicas {
            return scaleSet(newIndex, to: limits.replicas)
        }
        return scaleSet(newIndex, to: newSetSize(newIndex))
    }

    /// Takes pods off the old sets as far as availability allows, those that do not serve first.
    mutating func reconcileOldSets() -> Bool {
        guard let newIndex else { return false }
        guard activeOldIndices.contains(where: { sets[$0].replicas > 0 }) else { return false }
        let newUnavailable = sets[newIndex].replicas - sets[newIndex].available
        let most = totalReplicas - limits.minAvailable - newUnavailable
        guard most > 0 else { return false }
        let unhealthy = removeUnhealthy(most: most)
        let healthy = removeHealthy()
        return unhealthy || healthy
    }

    private mutating func removeUnhealthy(most: Int64) -> Bool {
        var rest = most
        var hasScaled = false
        for index in activeOldIndices where rest > 0 {
            let set = sets[index]
            let count = min(rest, set.replicas - set.available)
            guard count > 0 else { continue }
            rest -= count
            hasScaled = scaleSet(index, to: set.replicas - count) || hasScaled
        }
        return hasScaled
    }

    private mutating func removeHealthy() -> Bool {
        let available = sets.reduce(0) { $0 + ($1.isRemoved ? 0 : $1.available) }
        var rest = available - limits.minAvailable
        var hasScaled = false
        for index in activeOldIndices where rest > 0 {
            let count = min(rest, sets[index].replicas)
            rest -= count
            hasScaled = scaleSet(index, to: sets[index].replicas - count) || hasScaled
        }
        return hasScaled
    }

    // MARK: The Deployment's size changed, or it is paused

    mutating func scale() {
        if let index = activeOrLatest() {
            _ = scaleSet(index, to: limits.replicas)
            return
        }
        if isSaturated {
            for index in activeOldIndices { _ = scaleSet(index, to: 0) }
            return
        }
        if limits.isRolling { scaleProportionally() }
    }

    /// The only active set, or without any the new one, or else the newest old one.
    private func activeOrLatest() -> Int? {
        let active = sets.indices.filter { sets[$0].isActive }
        switch active.count {
        case 0: return newIndex ?? oldIndices.last
        case 1: return active[0]
        default: return nil
        }
    }

    /// The new set has all pods, and they are available.
    private var isSaturated: Bool {
        guard let set = newSet else { return false }
        return set.replicas == limits.replicas
            && set.number(DeploymentKeys.desiredReplicas) == limits.replicas
            && set.availableInStatus == limits.replicas
    }

    /// In the middle of a rollout every active set grows or shrinks by its share.
    private mutating func scaleProportionally() {
        let active = sets.indices.filter { sets[$0].isActive }
        let allowed = limits.replicas > 0 ? limits.maxTotal : 0
        let toAdd = allowed - totalReplicas
        // Largest first; between equals the newest grows first and the oldest shrinks first.
        let order = active.sorted { left, right in
            let (one, other) = (sets[left], sets[right])
            if one.replicas != other.replicas { return one.replicas > other.replicas }
            return toAdd > 0
                ? ReplicaSetState.isOlder(other, one) : ReplicaSetState.isOlder(one, other)
        }
        var sizes = order.map { sets[$0].replicas }
        var added: Int64 = 0
        if toAdd != 0 {
            for (position, index) in order.enumerated() {
                let share = proportion(of: sets[index], toAdd: toAdd, added: added)
                sizes[position] += share
                added += share
            }
            if !sizes.isEmpty { sizes[0] = max(0, sizes[0] + toAdd - added) }
        }
        for (position, index) in order.enumerated() where !scaleSet(index, to: sizes[position]) {
            // Even a set of unchanged size must remember the new totals, or this never ends.
            sets[index].setReplicaAnnotations(desired: limits.replicas, max: limits.maxTotal)
        }
    }

    private func proportion(of set: ReplicaSetState, toAdd: Int64, added: Int64) -> Int64 {
        guard set.replicas != 0, toAdd != added else { return 0 }
        let share = fraction(of: set)
        return toAdd > 0 ? min(share, toAdd - added) : max(share, toAdd - added)
    }

    private func fraction(of set: ReplicaSetState) -> Int64 {
        if limits.replicas == 0 { return -set.replicas }
        var before = set.number(DeploymentKeys.maxReplicas) ?? 0
        if before == 0 { before = deployment.status.count("replicas") }
        if before == 0 { return 0 }
        let size = Double(set.replicas * limits.maxTotal) / Double(before)
        return Int64(size.rounded(.toNearestOrAwayFromZero)) - set.replicas
    }
}
