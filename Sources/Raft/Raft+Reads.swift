extension Raft {
    /// Asks for an index that a linearizable read must wait for. It comes back in `Ready.reads`, or
    /// in `Ready.abandonedReads`. Works at every member; batch many client reads into one token.
    package mutating func readIndex(_ token: UInt64) {
        if role == .leader {
            reads.add(ReadBatches.Request(from: id, tokens: [token]))
        } else if leader == 0 {
            output.abandonedReads.append(token)
        } else {
            forwarded.append(ForwardedRead(token: token, ticks: 0, isSent: false))
        }
    }

    /// Asks the others whether we still are the leader. Waits for an entry of our own term, because
    /// only then the commit index covers what earlier leaders committed.
    mutating func startReadRound() {
        guard reads.canStartRound, hasCommittedInTerm else { return }
        reads.startRound(commit: log.commit)
        sendHeartbeats()
        releaseReads()
    }

    mutating func confirmReads(_ number: UInt64, by member: UInt64) {
        guard number > 0 else { return }
        reads.confirm(number, by: member)
        releaseReads()
    }

    mutating func releaseReads() {
        for batch in reads.takeConfirmed(by: id, in: membership) {
            for request in batch.requests {
                if request.from == id {
                    output.reads += request.tokens.map { Read(token: $0, index: batch.index) }
                } else {
                    let body = Message.Body.readIndexResponse(
                        index: batch.index, tokens: request.tokens)
                    send(body, to: request.from)
                }
            }
        }
    }

    mutating func forwardReads() {
        guard leader != 0 else { return }
        let tokens = forwarded.filter { !$0.isSent }.map(\.token)
        guard !tokens.isEmpty else { return }
        for position in forwarded.indices { forwarded[position].isSent = true }
        send(.readIndex(tokens: tokens), to: leader)
    }

    mutating func takeReadIndex(_ index: UInt64, _ tokens: [UInt64]) {
        for token in tokens {
            guard let position = forwarded.firstIndex(where: { $0.token == token }) else {
                continue
            }
            forwarded.remove(at: position)
            output.reads.append(Read(token: token, index: index))
        }
    }

    /// A forwarded read whose question or answer was lost is given up after an election timeout.
    mutating func ageForwardedReads() {
        for position in forwarded.indices { forwarded[position].ticks += 1 }
        let ticksMax = configuration.electionTicksMin
        output.abandonedReads += forwarded.filter { $0.ticks > ticksMax }.map(\.token)
        forwarded.removeAll { $0.ticks > ticksMax }
    }
}
