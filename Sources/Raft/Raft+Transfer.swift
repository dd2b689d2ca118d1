extension Raft {
    /// Hands leadership to a voter once its log is complete; proposals wait meanwhile. Given up
    /// after an election timeout. Returns whether it was begun.
    package mutating func transferLeadership(to member: UInt64) -> Bool {
        guard role == .leader, member != id, membership.voters.contains(member),
            let slot = peers.firstIndex(where: { $0.id == member })
        else { return false }
        if transferee == member { return true }
        transferee = member
        electionElapsed = 0
        if peers[slot].match == log.lastIndex { sendTimeoutNow(to: member) }
        return true
    }

    /// The voter that would take over fastest: of those heard of lately, whoever lacks least.
    package var heir: UInt64? {
        guard role == .leader else { return nil }
        let candidates = peers.filter {
            membership.voters.contains($0.id) && ($0.isActive || $0.wasActive)
        }
        let matchMax = candidates.map(\.match).max()
        return candidates.first { $0.match == matchMax }?.id
    }

    mutating func sendTimeoutNow(to member: UInt64) {
        lease.breakForTerm()
        send(.timeoutNow, to: member)
    }

    /// A leader whose disk takes writes no longer cannot apply anything either. After an election
    /// timeout of that it hands over, if the others commit without it: if not, their disks are as
    /// slow, or one and the same. After two it gives up.
    mutating func watchDisk() {
        disk.tick(persisted: persistedNumber, written: writeNumber)
        guard disk.stalledTicks >= configuration.electionTicksMin, let heir else { return }
        if disk.stalledTicks >= configuration.electionTicksMin * 2 {
            becomeFollower(term: term, leader: 0)
        } else if transferee == 0, log.commit > log.persisted {
            _ = transferLeadership(to: heir)
        }
    }
}
