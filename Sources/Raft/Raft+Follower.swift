import Basics

extension Raft {
    mutating func stepFollower(_ message: Message) {
        switch message.body {
        case .append(let prevIndex, let prevTerm, let entries, let commit):
            follow(message.from)
            takeAppend(
                from: message.from, prevIndex: prevIndex, prevTerm: prevTerm, entries: entries,
                commit: commit)
        case .heartbeat(let commit, let read):
            follow(message.from)
            // The leader names no commit index beyond what we acknowledged as durable: a log that
            // does not reach it has lost entries, which `commit` refuses if it is not known.
            if installing == nil, !isBlank {
                log.commit(to: lost == nil ? commit : min(commit, log.lastIndex))
                if lost != nil, commit > log.lastIndex { askAgain(message.from) }
            }
            send(.heartbeatResponse(read: read), to: message.from)
            if wantsSnapshot, installing == nil { askForSnapshot(message.from) }
        case .installSnapshot(let meta):
            takeSnapshot(meta)
        case .timeoutNow:
            if role == .follower, mayCampaign { stand(isTransfer: true) }
        case .readIndexResponse(let index, let tokens):
            takeReadIndex(index, tokens)
        default:
            preconditionFailure("not for followers: \(message.body)")
        }
    }

    /// There is one leader in a term, and this is a message of it.
    private mutating func follow(_ sender: UInt64) {
        precondition(role != .leader, "two leaders in term \(term): \(id) and \(sender)")
        precondition(leader == 0 || leader == sender, "two leaders in term \(term)")
        if role != .follower || leader != sender {
            becomeFollower(term: term, leader: sender)
        }
        electionElapsed = 0
        ticksSinceHeard = 0
    }

    private mutating func takeAppend(
        from sender: UInt64, prevIndex: UInt64, prevTerm: UInt64, entries: [Entry], commit: UInt64
    ) {
        guard installing == nil else { return }
        guard !isBlank else {
            // The members that the log begins with are not in the log: only a snapshot will do.
            askForSnapshot(sender)
            return
        }
        guard prevIndex >= log.commit else {
            // Old news. What is committed here agrees with every leader's log.
            sendAfterPersist(.appended(index: log.commit), to: sender)
            return
        }
        if lost != nil, prevIndex > log.lastIndex {
            askAgain(sender)
            return
        }
        guard log.term(prevIndex) == prevTerm else {
            let end = min(prevIndex, log.lastIndex)
            let hint = log.lastIndex(upTo: end, ofTermAtMost: prevTerm)
            send(
                .appendRejected(
                    index: prevIndex, hintIndex: hint, hintTerm: log.term(hint) ?? 0),
                to: sender)
            return
        }
        for entry in entries { takeEntry(entry) }
        let last = prevIndex + UInt64(entries.count)
        log.commit(to: min(commit, Mutant.isOn(.appendCommitsAll) ? log.lastIndex : last))
        if Mutant.isOn(.acknowledgesUnsynced) { return send(.appended(index: last), to: sender) }
        sendAfterPersist(.appended(index: last), to: sender)
    }

    /// Keeps an entry that is there already (a late message must not remove what follows it), and
    /// replaces one that differs together with what follows it.
    private mutating func takeEntry(_ entry: Entry) {
        let own = log.term(entry.index)
        if own == entry.term, !Mutant.isOn(.lateAppendTruncates) { return }
        if own != nil {
            truncate(from: entry.index)
        }
        append(entry)
    }
}
