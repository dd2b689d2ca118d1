extension Raft {
    /// The shell applies the change of a committed membership entry. Call it before `applied`.
    /// Returns the members from now on, for the shell to keep with its state.
    package mutating func membershipApplied(_ change: MembershipChange) -> Membership {
        membership = membership.applying(change)
        guard role == .leader else { return membership }
        guard isVoter else {
            // The others learn of the commit from the appends that are sent with it.
            sendAppends()
            becomeFollower(term: term, leader: 0)
            return membership
        }
        peers.removeAll { !membership.contains($0.id) }
        for member in membership.all where member != id {
            guard !peers.contains(where: { $0.id == member }) else { continue }
            var peer = Progress(id: member, next: log.lastIndex + 1)
            peer.isActive = true
            peers.append(peer)
        }
        peers.sort { $0.id < $1.id }
        if !membership.voters.contains(transferee) { transferee = 0 }
        advanceCommit()
        releaseReads()
        return membership
    }
}
