import Basics
import Keyspace
import Raft

/// Clients, each with one operation at a time and a patience of its own.
extension Simulation {
    private static let patience: UInt64 = 1_500_000

    func startOperation(_ client: Int) {
        guard !areClientsStopped else { return }
        position += 1
        let action = drawAction(client)
        operations.append(ClientOperation(client: client, action: action, called: position))
        let operation = operations.count - 1
        var target = clients[client].target
        if target == 0 || random.chance(1, in: 5) {
            target = UInt64(random.below(nodes.count)) + 1
        }
        trace("client \(client) asks \(target) for \(operation): \(action)")
        let arrival = now + scenario.delayMin + below(scenario.delayMax)
        queue.add(.clientRequest(operation: operation, node: target), at: arrival)
        queue.add(.clientTimeout(operation: operation), at: now + Self.patience)
    }

    private func drawAction(_ client: Int) -> ClientAction {
        let key = random.below(scenario.keys)
        switch random.below(20) {
        case 0..<6: return .put(key: key)
        case 6..<8: return .delete(key: key)
        case 8..<12: return .compareAndPut(key: key, expected: clients[client].seen[key])
        case 12 where scenario.keys > 1: return .putTwo(key, (key + 1) % scenario.keys)
        case 13: return .commit(first: random.below(4), guarded: random.chance(1, in: 2))
        case 14 where random.chance(1, in: 3): return .compact
        default: return .read(key: key)
        }
    }

    // MARK: At the replica

    func takeRequest(
        _ operation: Int, at node: Node, _ event: SimulationEvent
    ) throws(Violation) {
        guard operations[operation].isOpen, !node.isRetired else { return }
        guard node.isRunning else {
            reply(operation, .failed(leaderHint: 0))
            return
        }
        guard let node = live(node.id, node.epoch, event) else { return }
        if readKey(operation) != nil {
            node.raft.readIndex(UInt64(operation))
        } else {
            propose(operation, node)
        }
        try pump(node)
    }

    private func propose(_ operation: Int, _ node: Node) {
        let command = command(for: operation, revision: revisionSeen)
        switch node.raft.propose([command.encode()]) {
        case .accepted(let index, let term):
            operations[operation].index = index
            operations[operation].term = term
            node.proposals.removeAll { $0.index == index }
            node.proposals.append(
                PendingProposal(index: index, term: term, operation: operation))
        case .notLeader(let leader):
            reply(operation, .failed(leaderHint: leader))
        case .refused, .transferring:
            reply(operation, .failed(leaderHint: node.id))
        }
    }

    /// The command of an operation. A put writes one more than the number of the operation, so that
    /// no two write the same, and none writes 0.
    private func command(for operation: Int, revision: Int64) -> Command {
        switch operations[operation].action {
        case .put(let key):
            return .transaction(TransactionRequest(success: [put(key, operation)]))
        case .delete(let key):
            let request = DeleteRangeRequest(.key(Self.name(key)), wantsPrevious: true)
            return .transaction(TransactionRequest(success: [.deleteRange(request)]))
        case .compareAndPut(let key, let expected):
            let range = KeyRange.key(Self.name(key))
            let compare =
                expected == 0
                ? Compare(range, .equal, .modRevision(0))
                : Compare(range, .equal, .value(Self.value(expected)))
            return .transaction(
                TransactionRequest(
                    compares: [compare], success: [put(key, operation)],
                    failure: [.range(RangeRequest(range))]))
        case .putTwo(let first, let second):
            return .transaction(
                TransactionRequest(success: [put(first, operation), put(second, operation)]))
        case .commit(let first, let guarded):
            let keys = (first..<first + 3).map { Array("plugin/\($0)".utf8) }
            var mutations = keys.map {
                CommitRequest.Mutation.put(key: $0, value: Self.value(operation), lease: 0)
            }
            mutations.append(.delete(key: Array("plugin/\((first + 5) % 7)".utf8)))
            let guards: [CommitRequest.Guard] =
                guarded ? [.modRevision(key: keys[1], equals: revision)] : []
            return .commit(CommitRequest(guards: guards, mutations: mutations))
        case .compact:
            return .compact(revision)
        case .read:
            preconditionFailure("reads are no commands")
        }
    }

    private func put(_ key: Int, _ operation: Int) -> Operation {
        .put(
            PutRequest(
                key: Self.name(key), value: Self.value(operation + 1), wantsPrevious: true))
    }

    func readKey(_ operation: Int) -> Bytes? {
        guard case .read(let key) = operations[operation].action else { return nil }
        return Self.name(key)
    }

    func reply(_ operation: Int, _ reply: ClientReply) {
        let delay = scenario.delayMin + below(scenario.delayMax)
        queue.add(.clientReply(operation: operation, reply: reply), at: now + delay)
    }

    // MARK: At the client

    func takeReply(_ operation: Int, _ reply: ClientReply) {
        guard operations[operation].isOpen else { return }
        let client = operations[operation].client
        close(operation)
        switch reply {
        case .failed(let hint):
            operations[operation].outcome = nil
            clients[client].target = hint
        case .done(let result):
            clients[client].successes += 1
            take(result, of: operation)
        case .value(let bytes):
            clients[client].successes += 1
            let value = Self.number(bytes)
            operations[operation].outcome = .read(value)
            if case .read(let key) = operations[operation].action {
                clients[client].seen[key] = value
            }
        }
        hash.add(UInt64(operation))
        trace(
            "client \(client) has \(operation): \(operations[operation].outcome, default: "failed")"
        )
        queue.add(.clientStart(client), at: now + 1 + below(scenario.thinkMax))
    }

    func takeTimeout(_ operation: Int) {
        guard operations[operation].isOpen else { return }
        let client = operations[operation].client
        // The outcome stays unknown, as far as the client can say.
        operations[operation].isOpen = false
        clients[client].target = 0
        trace("client \(client) gives up on \(operation)")
        queue.add(.clientStart(client), at: now + 1 + below(scenario.thinkMax))
    }

    private func close(_ operation: Int) {
        position += 1
        operations[operation].returned = position
        operations[operation].isOpen = false
    }

    private func take(_ result: CommandResult, of operation: Int) {
        guard case .transaction(.success(let response)) = result else {
            operations[operation].outcome = nil
            if case .commit(.success(.committed(_, let last))) = result { revisionSeen = last }
            return
        }
        revisionSeen = max(revisionSeen, response.revision)
        let client = operations[operation].client
        switch operations[operation].action {
        case .compareAndPut(let key, _):
            operations[operation].outcome = .compared(succeeded: response.succeeded)
            clients[client].seen[key] =
                response.succeeded ? operation + 1 : Self.seen(in: response)
        case .put(let key), .putTwo(let key, _):
            operations[operation].outcome = .written(previous: Self.seen(in: response))
            clients[client].seen[key] = operation + 1
        case .delete(let key):
            operations[operation].outcome = .written(previous: Self.seen(in: response))
            clients[client].seen[key] = 0
        case .commit, .compact, .read:
            break
        }
    }

    /// The value that the first part of an answer shows.
    private static func seen(in response: TransactionResponse) -> Int {
        switch response.responses.first {
        case .put(let put): number(put.previous?.value)
        case .deleteRange(let deletion): number(deletion.previous.first?.value)
        case .range(let range): number(range.keyValues.first?.value)
        default: 0
        }
    }

    // MARK: Names

    static func name(_ key: Int) -> Bytes { Array("key/\(key)".utf8) }

    private static func value(_ number: Int) -> Bytes { Array("\(number)".utf8) }

    private static func number(_ value: Bytes?) -> Int {
        value.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
    }
}
