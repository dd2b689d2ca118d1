import Basics

extension Raft {
    /// What there is to do, or nil. Call it after every batch of inputs until it returns nil.
    package mutating func takeReady() -> Ready? {
        if role == .leader {
            startReadRound()
            sendAppends()
        } else {
            forwardReads()
        }
        var ready = Ready()
        takeWrite(into: &ready)
        ready.messages = output.messages
        ready.reads = output.reads
        ready.abandonedReads = output.abandonedReads
        ready.snapshotsToSend = output.snapshotsToSend
        ready.snapshotToInstall = output.snapshotToInstall
        ready.keepsLog = output.keepsLog
        takePromises(into: &ready)
        output = Output()
        if installing == nil, !wantsSnapshot {
            ready.committed = log.takeCommitted(bytesMax: configuration.readyBytesMax)
        }
        let change = LeaderChange(leader: leader, term: term, role: role)
        if change != reported {
            reported = change
            ready.leaderChange = change
        }
        return ready.isEmpty ? nil : ready
    }

    private mutating func takeWrite(into ready: inout Ready) {
        ready.entries = log.takeUnwritten()
        let now = HardState(term: term, vote: vote, commit: log.commit)
        let mustWrite = now.term != writtenHardState.term || now.vote != writtenHardState.vote
        // A commit index alone is not worth a sync: losing it loses nothing.
        if mustWrite || (!ready.entries.isEmpty && now != writtenHardState) {
            ready.hardState = now
            writtenHardState = now
        }
    }

    /// Promises go at once if everything they rest on is durable already, else behind a write.
    private mutating func takePromises(into ready: inout Ready) {
        let writes = ready.hardState != nil || !ready.entries.isEmpty
        let promises = output.messagesAfterPersist
        if !writes && persistedNumber == writeNumber {
            ready.messages += promises
        } else if writes || !promises.isEmpty {
            writeNumber += 1
            ready.mark = WriteMark(number: writeNumber, index: log.handedToLog, term: term)
            ready.messagesAfterPersist = promises
        }
        if role == .candidate, ballotNumber == nil { ballotNumber = writeNumber }
    }

    /// The write with this mark and all before it are durable.
    ///
    /// Marks of writes older than the last replacement of entries are known to be stale, also if
    /// index and term have come to be the same again.
    package mutating func persisted(_ mark: WriteMark) {
        precondition(mark.number <= writeNumber, "write \(mark.number) was never handed out")
        guard mark.number > persistedNumber else { return }
        persistedNumber = mark.number
        if mark.number > replacedNumber || Mutant.isOn(.staleAcknowledgementCounts) {
            log.markPersisted(to: mark.index)
        }
        if role == .candidate, let ballotNumber, ballotNumber <= mark.number {
            countBallot(of: id, isGranted: true)
        }
        if role == .leader { advanceCommit() }
    }

    /// The state machine holds everything up to `index`.
    package mutating func applied(_ index: UInt64) {
        log.markApplied(to: index)
        advanceMembership()
    }

    /// Forgets entries up to `index`, which must be applied. A member that still needs them gets a
    /// snapshot.
    package mutating func compacted(to index: UInt64) {
        log.compact(to: index)
    }

    mutating func send(_ body: Message.Body, to member: UInt64) {
        output.messages.append(Message(from: id, to: member, term: term, body: body))
    }

    /// For promises: leaves only when everything handed to the log so far is durable.
    mutating func sendAfterPersist(_ body: Message.Body, to member: UInt64) {
        output.messagesAfterPersist.append(Message(from: id, to: member, term: term, body: body))
    }
}
