import Basics

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

    /// The time by the shell's clock, which never goes back; told before the inputs of a round.
    /// Only leases need it.
    package mutating func setClock(_ nanoseconds: UInt64) {
        clock = max(clock, nanoseconds)
    }

    /// Asks the others whether we still are the leader, unless a lease says so. Waits for an entry
    /// of our own term, because only then the commit index covers what earlier leaders committed.
    mutating func startReadRound() {
        guard reads.hasWaiting, hasCommittedInTerm || Mutant.isOn(.readsBeforeOwnCommit)
        else { return }
        if answerByLease() { return }
        guard reads.canStartRound else { return }
        reads.startRound(commit: log.commit, at: clock)
        sendHeartbeats()
        releaseReads()
    }

    /// False if there is no lease now.
    private mutating func answerByLease() -> Bool {
        guard transferee == 0, lease.holds(at: clock, for: configuration.leaseNanoseconds) else {
            return false
        }
        for request in reads.takeWaiting() {
            tally.leaseReads += request.tokens.count
            answer(request, index: log.commit)
        }
        return true
    }

    /// Every heartbeat renews the lease, also without reads.
    mutating func startLeaseRound() {
        guard configuration.leaseNanoseconds > 0, reads.canStartRound, hasCommittedInTerm else {
            return
        }
        // Reads that came in with the tick need not wait for this round.
        _ = answerByLease()
        reads.startRound(commit: log.commit, at: clock)
        releaseReads()
    }

    mutating func confirmReads(_ number: UInt64, by member: UInt64) {
        guard number > 0 else { return }
        reads.confirm(number, by: member)
        releaseReads()
    }

    mutating func releaseReads() {
        for batch in reads.takeConfirmed(by: id, in: membership) {
            lease.renew(batch.begun)
            for request in batch.requests { answer(request, index: batch.index) }
        }
    }

    private mutating func answer(_ request: ReadBatches.Request, index: UInt64) {
        if request.from == id {
            output.reads += request.tokens.map { Read(token: $0, index: index) }
        } else {
            send(.readIndexResponse(index: index, tokens: request.tokens), to: request.from)
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
