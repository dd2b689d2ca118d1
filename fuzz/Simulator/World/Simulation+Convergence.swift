import Raft

/// The end of a run: without faults the cluster must come to serve, to agree, and to rest.
extension Simulation {
    private static let convergenceLimit: UInt64 = 60_000_000

    func converge() throws(Violation) {
        try healEverything()
        let limit = now + Self.convergenceLimit
        let before = clients.map(\.successes)
        func hasServedAll() -> Bool {
            zip(clients, before).allSatisfy { $0.successes >= $1 + 2 }
        }
        while replacement != nil || !hasServedAll() {
            guard now < limit else {
                throw .liveness(
                    (replacement.map { "replacement \($0) is stuck" } ?? "clients get no answer")
                        + "; " + status)
            }
            try step()
        }
        areClientsStopped = true
        while !isAtRest {
            guard now < limit else { throw .liveness("replicas do not converge; " + status) }
            try step()
        }
        trace("at rest: " + status)
    }

    /// Nobody waits, and every member has applied the whole log of the leader.
    private var isAtRest: Bool {
        guard let leader = currentLeader, !operations.contains(where: \.isOpen) else {
            return false
        }
        return leader.raft.membership.all.allSatisfy { id in
            let node = self.node(id)
            return node.isRunning && node.state.appliedIndex == leader.raft.lastIndex
        }
    }

    private var status: String {
        nodes.filter { !$0.isRetired }.map { node in
            let raft = node.raft
            return "\(node.id) \(node.isRunning ? "\(raft.role)" : "down") term \(raft.term) "
                + "leader \(raft.leader) log \(raft.firstIndex)...\(raft.lastIndex) commit "
                + "\(raft.commitIndex) applied \(node.state.appliedIndex) voters "
                + "\(raft.membership.voters)"
        }.joined(separator: "; ")
    }

    /// Checks each key's history. Returns how many were too involved to decide.
    func checkHistories() throws(Violation) -> Int {
        var undecided = 0
        for key in 0..<scenario.keys {
            let history = operations.enumerated().compactMap { number, operation in
                registerOperation(number, operation, on: key)
            }
            switch Linearizability.check(history) {
            case .linearizable: break
            case .undecided: undecided += 1
            case .violation(let text): throw .correctness("linearizability of key \(key): \(text)")
            }
        }
        return undecided
    }

    private func registerOperation(
        _ number: Int, _ operation: ClientOperation, on key: Int
    ) -> RegisterOperation? {
        guard let action = registerAction(operation.action, value: number + 1, on: key),
            var outcome = operation.outcome
        else { return nil }
        if outcome == .unknown {
            // By now the log says whether the command took effect. One that did not has no place
            // in the history: a read that saw it will have no explanation.
            guard let index = operation.index, let term = operation.term,
                checker.outcome(index: index, term: term) == true
            else { return nil }
        }
        if case .putTwo(_, key) = operation.action, case .written = outcome {
            outcome = .written(previous: nil)
        }
        return RegisterOperation(
            client: operation.client, action, outcome, called: operation.called,
            returned: operation.returned)
    }

    private func registerAction(
        _ action: ClientAction, value: Int, on key: Int
    ) -> RegisterOperation.Action? {
        switch action {
        case .put(key): .write(value)
        case .delete(key): .write(0)
        case .compareAndPut(key, let expected): .compareAndSet(expected: expected, new: value)
        case .putTwo(key, _), .putTwo(_, key): .write(value)
        case .read(key): .read
        default: nil
        }
    }
}
