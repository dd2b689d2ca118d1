import Basics

extension Raft {
    /// The state machine of this replica is of no use any more: the leader is asked for a snapshot
    /// with every heartbeat until one is installed, and nothing is applied. The log stays what it
    /// is, so that the replica goes on to vote and to acknowledge, but it does not campaign.
    ///
    /// Returns false at a leader, which must hand over first.
    package mutating func requestSnapshot() -> Bool {
        guard role != .leader else { return false }
        wantsSnapshot = true
        if role != .follower { becomeFollower(term: term, leader: 0) }
        return true
    }

    /// Every log agrees before its first entry; who rejects that asks for a snapshot.
    func askingForSnapshot(_ member: UInt64) -> Message {
        Message(
            from: id, to: member, term: term,
            body: .appendRejected(index: 0, hintIndex: 0, hintTerm: 0))
    }

    mutating func askForSnapshot(_ member: UInt64) {
        output.messages.append(askingForSnapshot(member))
    }

    mutating func takeSnapshot(_ meta: SnapshotMeta) {
        guard installing == nil else { return }
        let isWithinLog =
            log.term(meta.index) == meta.term && !Mutant.isOn(.lateSnapshotCutsLog)
        if isWithinLog {
            // The log has all that the snapshot has, and perhaps acknowledged entries behind it,
            // which must stay.
            log.commit(to: meta.index)
        }
        let isUseful =
            wantsSnapshot && isWithinLog
            ? meta.index >= log.applied
            : meta.index > (Mutant.isOn(.lateSnapshotCutsLog) ? log.offset : log.commit)
        guard isUseful else {
            if leader != 0 { sendAfterPersist(.appended(index: log.commit), to: leader) }
            return
        }
        guard role == .follower else { return }
        electionElapsed = 0
        installing = meta
        output.snapshotToInstall = meta
        output.keepsLog = isWithinLog
    }

    /// The state machine is at `meta`, and the log starts after it; both durably.
    package mutating func snapshotInstalled(_ meta: SnapshotMeta) {
        precondition(installing == meta, "no such snapshot was to be installed")
        precondition(role != .leader)
        installing = nil
        wantsSnapshot = false
        appliedMembership = meta.membership
        if log.term(meta.index) == meta.term, !Mutant.isOn(.lateSnapshotCutsLog) {
            log.rebase(onto: meta)
        } else {
            replacedNumber = writeNumber
            log.reset(to: meta)
        }
        membership = Self.membership(appliedMembership, in: log)
        if leader != 0 { sendAfterPersist(.appended(index: meta.index), to: leader) }
    }

    /// The snapshot could not be installed; the replica goes on as before.
    package mutating func snapshotRefused(_ meta: SnapshotMeta) {
        precondition(installing == meta, "no such snapshot was to be installed")
        installing = nil
    }
}
