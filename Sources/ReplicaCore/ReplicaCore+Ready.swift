import Basics
import Keyspace
import Raft

extension ReplicaCore {
    /// A round ends when it has sent and applied so much of entries: who asks something meanwhile
    /// does not wait for all that there is.
    private static let roundBytesMax = 2 << 20

    /// Does what Raft has for us: everything, or as much as a round may.
    func drain() throws(ReplicaFailure) {
        var bytes = 0
        hasMore = false
        while !hasMore, let ready = raft?.takeReady() {
            bytes += ready.entryBytes
            try handle(ready)
            hasMore = bytes >= Self.roundBytesMax
        }
        activateLessor()
    }

    private func handle(_ ready: Ready) throws(ReplicaFailure) {
        // The log goes first: its sync runs while the rest of this happens.
        if let mark = ready.mark {
            environment.log(
                .write(
                    LogWrite(
                        hardState: ready.hardState, entries: ready.entries, mark: mark,
                        messages: ready.messagesAfterPersist)))
        }
        environment.send(ready.messages)
        if let change = ready.leaderChange { leaderChanged(change) }
        if !ready.committed.isEmpty { try apply(ready.committed) }
        if let meta = ready.snapshotToInstall { install(meta, keepsLog: ready.keepsLog) }
        for peer in ready.snapshotsToSend { sendSnapshot(to: peer) }
        let applied = keyspace.appliedIndex
        for read in ready.reads {
            reads.confirmed(read.token, index: read.index)
            settleInvitations(read.token, isConfirmed: true)
            if leadership.confirmed(read.token) { submitQuestions() }
        }
        for token in ready.abandonedReads {
            reads.abandoned(token)
            settleInvitations(token, isConfirmed: false)
            leadership.abandoned(token)
        }
        release(reads.takeReady(applied: applied))
    }

    /// Applies committed entries in one transaction and answers who waits for them.
    private func apply(_ entries: [Entry]) throws(ReplicaFailure) {
        var batch: [AppliedEntry] = []
        batch.reserveCapacity(entries.count)
        var isMembershipChanged = false
        for entry in entries {
            if entry.kind == .membership { isMembershipChanged = true }
            let command: Command
            do throws(DecodingFailure) {
                command = try self.command(of: entry)
            } catch {
                throw ReplicaFailure(
                    .corrupt, "entry \(entry.index) of the log does not decode: \(error)")
            }
            batch.append(AppliedEntry(index: entry.index, term: entry.term, command: command))
        }
        let results: [CommandResult]
        do throws(KeyspaceError) {
            results = try keyspace.apply(batch)
        } catch {
            throw ReplicaFailure(error)
        }
        raft?.applied(entries[entries.count - 1].index)
        if isMembershipChanged {
            connect()
            advanceMembers()
        }
        // Before anybody is answered from a state that may turn out to be wrong.
        for (entry, result) in zip(batch, results) { try noteHash(entry, result) }
        if WakeBatch.whole({ answer(batch, results) }) { expireLeases() }
        if memory.applied(entries) { trimMemory() }
    }

    /// Lets go of entries that no follower within reach needs, or that there is no room for.
    func trimMemory() {
        guard let raft else { return }
        var needed = UInt64.max
        for peer in raft.progress
        where environment.isUp(peer.id) || snapshots.sending.contains(peer.id) {
            needed = min(needed, peer.match + 1)
        }
        if let index = memory.trim(needed: needed) { self.raft?.compacted(to: index) }
    }

    /// Returns whether leases ended.
    private func answer(_ batch: [AppliedEntry], _ results: [CommandResult]) -> Bool {
        var endsLeases = false
        for (entry, result) in zip(batch, results) where divergence == nil {
            if entry.command.isOfLeases {
                let command = entry.command.unstamped
                if case .leaseRevoke = command { endsLeases = true }
                noteLease(command, result)
            }
            waiting.applied(entry.index, entry.term, result)
        }
        return endsLeases
    }

    private func command(of entry: Entry) throws(DecodingFailure) -> Command {
        switch entry.kind {
        case .normal: changeAlarms(try Command(decoding: entry.payload))
        case .membership: try changeMembers(try MembershipChange(decoding: entry.payload))
        }
    }

    private func changeAlarms(_ command: Command) -> Command {
        guard case .alarm(let change) = command else { return command }
        cluster.apply(change)
        return .membership(cluster.encoded())
    }

    private func changeMembers(
        _ change: MembershipChange
    ) throws(DecodingFailure) -> Command {
        guard let next = raft?.membershipApplied(change) else { return .nothing }
        noteRemovals(after: next)
        try cluster.apply(change, next)
        return .membership(cluster.encoded())
    }

    private func leaderChanged(_ change: LeaderChange) {
        if change.role != .leader {
            resignLeases()
            invitations = []
            memberTask?.done(.failure(.leaderChanged))
            memberTask = nil
        }
        settleTransfers(change.leader)
        guard change.leader != 0 else { return }
        if change.leader != lastLeader { settings.metrics.leaderChanges.add() }
        lastLeader = change.leader
        let end = now.advanced(milliseconds: settings.electionMilliseconds)
        asked.orphan(exceptTo: change.leader, until: end, held: &newQuestions)
        newWrites = waiting.takeHeld() + newWrites
        submitWrites()
        submitQuestions()
        settings.metrics.slowReadIndexes.add(reads.retry(into: &newReads))
        submitReads()
    }

    func release(_ ready: [PendingRead]) {
        guard !ready.isEmpty else { return }
        guard divergence == nil else {
            for read in ready { read.done(.failure(.noLeader)) }
            return
        }
        WakeBatch.whole { environment.serve(ready, keyspace) }
    }
}
