import Basics

extension Raft {
    /// Sends every member what it lacks, as far as its window allows and one Ready takes.
    mutating func sendAppends() {
        for slot in peers.indices {
            var bytes = 0
            while bytes < configuration.readyBytesMax,
                peers[slot].wantsAppend(
                    lastIndex: log.lastIndex, commit: log.commit, isFull: isFull(peers[slot]))
            {
                bytes += sendAppend(slot)
            }
            if isHeldByBytes(peers[slot]) { tally.heldAppends += 1 }
        }
    }

    /// Returns the bytes of the entries.
    private mutating func sendAppend(_ slot: Int) -> Int {
        let peer = peers[slot]
        let compacted: UInt64? = Mutant.isOn(.compactedProbeSent) ? 0 : nil
        guard let prevTerm = log.term(peer.next - 1) ?? compacted else {
            startSnapshot(slot)
            return 0
        }
        var entries: [Entry] = []
        if peer.state == .probe || !isFull(peer) || Mutant.isOn(.windowOverflows) {
            entries = log.slice(
                from: peer.next, through: log.lastIndex, bytesMax: configuration.messageBytesMax)
        }
        peers[slot].sent(entries, commit: log.commit)
        let body = Message.Body.append(
            prevIndex: peer.next - 1, prevTerm: prevTerm, entries: entries, commit: log.commit)
        send(body, to: peer.id)
        return entries.reduce(0) { $0 + $1.cost }
    }

    private func isFull(_ peer: Progress) -> Bool {
        peer.inflight.isFull(
            countMax: configuration.inflightMessagesMax, bytesMax: configuration.inflightBytesMax)
    }

    /// Whether entries wait for acknowledgements because of the bytes in flight alone.
    private func isHeldByBytes(_ peer: Progress) -> Bool {
        peer.state == .replicate && peer.next <= log.lastIndex
            && peer.inflight.count < configuration.inflightMessagesMax
            && peer.inflight.bytes >= configuration.inflightBytesMax
    }

    mutating func startSnapshot(_ slot: Int) {
        if case .snapshot = peers[slot].state { return }
        peers[slot].becomeSnapshot()
        output.snapshotsToSend.append(peers[slot].id)
    }

    mutating func sendHeartbeats() {
        heartbeatElapsed = 0
        for peer in peers {
            let commit =
                Mutant.isOn(.heartbeatCommitsAll) ? log.commit : min(peer.match, log.commit)
            send(.heartbeat(commit: commit, read: reads.newestNumber), to: peer.id)
        }
    }

    /// The shell's report on a stream that `Ready.snapshotsToSend` asked for. After a success the
    /// member is given four election timeouts to install it.
    package mutating func snapshotSent(to member: UInt64, succeeded: Bool) {
        guard role == .leader, let slot = peers.firstIndex(where: { $0.id == member }),
            case .snapshot = peers[slot].state
        else { return }
        if succeeded {
            peers[slot].snapshotSent()
        } else {
            peers[slot].snapshotFailed()
        }
    }

    /// Messages to this member were lost, as far as the shell can tell.
    package mutating func unreachable(_ member: UInt64) {
        guard role == .leader, let slot = peers.firstIndex(where: { $0.id == member }),
            peers[slot].state == .replicate
        else { return }
        peers[slot].becomeProbe(next: peers[slot].match + 1)
    }
}
