package import Basics

extension Raft {
    /// Appends entries with these payloads to the log, if this is the leader.
    package mutating func propose(_ payloads: [Bytes]) -> Proposal {
        precondition(!payloads.isEmpty && payloads.allSatisfy { !$0.isEmpty }, "empty proposal")
        return propose(payloads, kind: .normal)
    }

    mutating func propose(_ payloads: [Bytes], kind: Entry.Kind) -> Proposal {
        guard role == .leader else { return .notLeader(leader: leader) }
        guard transferee == 0 else { return .transferring }
        let first = log.lastIndex + 1
        let entries = payloads.enumerated().map { offset, payload in
            Entry(term: term, index: first + UInt64(offset), kind: kind, payload: payload)
        }
        let cost = entries.reduce(0) { $0 + $1.cost }
        guard uncommittedBytes == 0 || uncommittedBytes + cost <= configuration.uncommittedBytesMax
        else {
            tally.refusedProposals += 1
            return .refused
        }
        appendOwn(entries)
        return .accepted(firstIndex: first, term: term)
    }

    /// Entries of our own term go to our log now and to the others with the next Ready.
    mutating func appendOwn(_ entries: [Entry]) {
        for entry in entries {
            uncommittedBytes += entry.cost
            append(entry)
        }
    }

    mutating func stepLeader(_ message: Message) {
        guard role == .leader else { return }
        if case .readIndex(let tokens) = message.body {
            reads.add(ReadBatches.Request(from: message.from, tokens: tokens))
            return
        }
        guard let slot = peers.firstIndex(where: { $0.id == message.from }) else { return }
        peers[slot].isActive = true
        switch message.body {
        case .appended(let index):
            takeAppended(slot, index: index)
        case .appendRejected(let index, let hintIndex, let hintTerm):
            takeRejection(slot, index: index, hintIndex: hintIndex, hintTerm: hintTerm)
        case .heartbeatResponse(let read):
            peers[slot].heartbeatAnswered(lastIndex: log.lastIndex)
            confirmReads(read, by: message.from)
        default:
            preconditionFailure("not for leaders: \(message.body)")
        }
    }

    private mutating func takeAppended(_ slot: Int, index: UInt64) {
        precondition(
            index <= log.lastIndex,
            "member \(peers[slot].id) acknowledged \(index) of \(log.lastIndex)")
        let isNews = peers[slot].accepted(index)
        if case .snapshot = peers[slot].state, peers[slot].match >= log.offset {
            peers[slot].becomeReplicate()
        }
        guard isNews else { return }
        advanceCommit()
        if peers[slot].id == transferee, peers[slot].match == log.lastIndex {
            sendTimeoutNow(to: transferee)
        }
    }

    private mutating func takeRejection(
        _ slot: Int, index: UInt64, hintIndex: UInt64, hintTerm: UInt64
    ) {
        if index == 0 {
            // Every log agrees before its first entry; who rejects that asks for a snapshot, or
            // for what follows the hint, and may have lost what it acknowledged.
            peers[slot].forget()
            if hintIndex > 0, log.term(hintIndex) == hintTerm {
                peers[slot].goOn(behind: hintIndex)
            } else {
                startSnapshot(slot)
            }
            return
        }
        // Skips our own entries of terms that the member's log cannot hold at the hint.
        let end = min(hintIndex, log.lastIndex)
        let hint = log.lastIndex(upTo: end, ofTermAtMost: hintTerm)
        peers[slot].rejected(index, hint: hint)
    }

    /// Commits what is durable at a quorum, if it is of our own term (figure 8 of the paper).
    mutating func advanceCommit() {
        let reached = membership.quorumValue { voter in
            voter == id ? log.persisted : (peers.first { $0.id == voter }?.match ?? 0)
        }
        guard reached > log.commit else { return }
        guard log.term(reached) == term || Mutant.isOn(.commitsOldTerm) else { return }
        uncommittedBytes -= log.cost(from: log.commit + 1, through: reached)
        log.commit(to: reached)
    }
}
