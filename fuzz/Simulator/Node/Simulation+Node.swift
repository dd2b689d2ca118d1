import Basics
import Keyspace
import Raft

extension Simulation {
    /// Does everything that a replica wants done, as the replica thread does between two events.
    func pump(_ node: Node) throws(Violation) {
        while let ready = node.raft.takeReady() {
            try checkProgress(node)
            if let change = ready.leaderChange {
                trace(
                    "\(node.id) is \(change.role) of term \(change.term), leader \(change.leader)")
                if change.role == .leader { try checker.elected(node.raft) }
            }
            try checkWrite(ready, node)
            for message in ready.messages { try send(message) }
            if ready.mark != nil { addWrite(ready, node) }
            try apply(ready.committed, node)
            for read in ready.reads {
                node.reads.append(PendingRead(index: read.index, operation: Int(read.token)))
            }
            for token in ready.abandonedReads { reply(Int(token), .failed(leaderHint: 0)) }
            for peer in ready.snapshotsToSend { try streamSnapshot(node, to: peer) }
            if let meta = ready.snapshotToInstall { try install(meta, node) }
            try answerReads(node)
        }
        try saveSnapshotIfDue(node)
        try startLogTask(node)
    }

    private func checkProgress(_ node: Node) throws(Violation) {
        guard node.raft.term >= node.termSeen, node.raft.commitIndex >= node.commitSeen else {
            throw .correctness(
                "\(node.id) went back: term \(node.termSeen) to \(node.raft.term), commit "
                    + "\(node.commitSeen) to \(node.raft.commitIndex)")
        }
        node.termSeen = node.raft.term
        node.commitSeen = node.raft.commitIndex
    }

    private func checkWrite(_ ready: Ready, _ node: Node) throws(Violation) {
        guard let first = ready.entries.first else { return }
        guard let previousTerm = node.raft.term(at: first.index - 1) else {
            throw .correctness("\(node.id) writes entry \(first.index) behind a gap")
        }
        try checker.wrote(ready.entries, after: previousTerm)
    }

    // MARK: Network

    func send(_ message: Message) throws(Violation) {
        if case .voteResponse(granted: true) = message.body { try checker.voted(message) }
        let bytes = message.encoded()
        guard Int(message.to) <= nodes.count,
            !network.isBlocked(from: message.from, to: message.to),
            !chance(per10000: scenario.lossPer10000)
        else { return }
        let copies = chance(per10000: scenario.duplicatePer10000) ? 2 : 1
        for _ in 0..<copies {
            var delay = scenario.delayMin + below(scenario.delayMax)
            if chance(per10000: scenario.latePer10000) { delay += below(500_000) }
            queue.add(.deliver(bytes, to: message.to), at: now + delay)
        }
    }

    // MARK: State machine

    private func apply(_ entries: [Entry], _ node: Node) throws(Violation) {
        guard !entries.isEmpty else { return }
        var batch: [AppliedEntry] = []
        for entry in entries {
            batch.append(
                AppliedEntry(
                    index: entry.index, term: entry.term, command: try command(of: entry, node)))
        }
        let results = try node.state.apply(batch)
        for (position, entry) in entries.enumerated() {
            try checker.applied(
                entry, command: batch[position].command, result: results[position], by: node.raft)
            settle(entry, results[position], node)
        }
        let last = entries[entries.count - 1].index
        let digest = try node.state.digest()
        try checker.agrees(digest, at: last, of: node.id)
        hash.add(node.id)
        hash.add(last)
        hash.add(digest)
        trace("\(node.id) applied up to \(last)")
        node.raft.applied(last)
    }

    private func command(of entry: Entry, _ node: Node) throws(Violation) -> Command {
        do {
            switch entry.kind {
            case .membership:
                let change = try MembershipChange(decoding: entry.payload)
                let membership = node.raft.membershipApplied(change)
                trace("\(node.id) has members \(membership.voters), \(membership.learners)")
                return .membership(membership.encoded())
            case .normal:
                return entry.payload.isEmpty ? .nothing : try Command(decoding: entry.payload)
            }
        } catch {
            throw .correctness("entry \(entry.index) does not decode: \(error)")
        }
    }

    /// Answers the client whose command this entry is, or whose command it replaced.
    private func settle(_ entry: Entry, _ result: CommandResult, _ node: Node) {
        guard let slot = node.proposals.firstIndex(where: { $0.index == entry.index }) else {
            return
        }
        let proposal = node.proposals.remove(at: slot)
        let isOurs = proposal.term == entry.term
        reply(
            proposal.operation,
            isOurs ? .done(result) : .failed(leaderHint: node.raft.leader))
    }

    private func answerReads(_ node: Node) throws(Violation) {
        for read in node.reads where read.index <= node.state.appliedIndex {
            guard let key = readKey(read.operation) else { continue }
            reply(read.operation, .value(try node.state.value(of: key)))
        }
        node.reads.removeAll { $0.index <= node.state.appliedIndex }
    }
}
