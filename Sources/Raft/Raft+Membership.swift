/// A change of members counts from the moment its entry is in the log, committed or not
/// (dissertation, 4.1): a replica that restarts and does not know yet what is committed must still
/// ask the members that may have committed it. What is cut off the log again no longer counts.
extension Raft {
    /// Appends a change of any number of members. Refused while an earlier one is not applied or a
    /// joint membership has not ended, and before the leader has applied an entry of its own term.
    package mutating func proposeMembership(_ change: MembershipChange) -> Proposal {
        guard role == .leader else { return .notLeader(leader: leader) }
        guard transferee == 0 else { return .transferring }
        guard canChangeMembers, !change.isLeavingJoint, membership.accepts(change) else {
            return .refused
        }
        let proposal = propose([change.encoded()], kind: .membership)
        if case .accepted(let index, _) = proposal { membershipBarrier = index }
        return proposal
    }

    /// Whether every earlier change, and an entry of this leader's term, is applied.
    package var canChangeMembers: Bool {
        guard role == .leader, log.applied >= membershipBarrier else { return false }
        precondition(membership == appliedMembership, "a change is open behind the barrier")
        return true
    }

    /// The shell applies the change of a committed membership entry. Call it before `applied`.
    /// Returns the members as of this entry, for the shell to keep with its state.
    package mutating func membershipApplied(_ change: MembershipChange) -> Membership {
        appliedMembership = appliedMembership.applying(change)
        guard role == .leader else { return appliedMembership }
        // Whoever is removed, perhaps this leader, is told first that it is.
        sendAppends()
        followMembership()
        if !isVoter, !appliedMembership.isVoter(id) {
            if let heir { sendTimeoutNow(to: heir) }
            becomeFollower(term: term, leader: 0)
        }
        return appliedMembership
    }

    /// What a leader does with members by itself: ends a joint membership that is applied, else
    /// makes voters of those who have caught up. Also a leader elected half-way does.
    mutating func advanceMembership() {
        guard role == .leader, transferee == 0, membership.isJoint || !membership.joining.isEmpty,
            canChangeMembers
        else { return }
        if membership.isJoint {
            appendChange(.leaveJoint)
            return
        }
        let ticks = configuration.electionTicksMin
        let ready = peers.filter {
            membership.joining.contains($0.id) && $0.catchUp.hasCaughtUp(electionTicks: ticks)
        }
        guard !ready.isEmpty else { return }
        appendChange(MembershipChange(ready.map { MembershipChange.Step(.addVoter, $0.id) }))
    }

    /// Whatever else is not committed yet: members are few.
    private mutating func appendChange(_ change: MembershipChange) {
        appendOwn([
            Entry(
                term: term, index: log.lastIndex + 1, kind: .membership, payload: change.encoded())
        ])
        membershipBarrier = log.lastIndex
    }

    /// Appends an entry, and lets it count if it changes the members.
    mutating func append(_ entry: Entry) {
        log.append(entry)
        guard entry.kind == .membership else { return }
        membership = membership.applying(Self.change(of: entry))
        followMembership()
    }

    /// Removes `first` and what follows from the log, with the changes of members in it.
    mutating func truncate(from first: UInt64) {
        if log.handedToLog >= first { replacedNumber = writeNumber }
        log.truncate(from: first)
        membership = Self.membership(appliedMembership, in: log)
    }

    /// The members at the end of the log, given those as of the applied index.
    static func membership(_ applied: Membership, in log: RaftLog) -> Membership {
        log.entries(after: log.applied).reduce(applied) { members, entry in
            entry.kind == .membership ? members.applying(change(of: entry)) : members
        }
    }

    private static func change(of entry: Entry) -> MembershipChange {
        do {
            return try MembershipChange(decoding: entry.payload)
        } catch {
            preconditionFailure("membership entry \(entry.term)/\(entry.index): \(error)")
        }
    }

    /// A leader replicates to the other members, and to those whose removal is not applied yet.
    private mutating func followMembership() {
        guard role == .leader else { return }
        peers.removeAll { !membership.contains($0.id) && !appliedMembership.contains($0.id) }
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
    }
}
