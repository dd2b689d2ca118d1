import Basics
import Keyspace
import Raft
import ReplicaCore

/// Clients, each with one operation at a time and a patience of its own.
extension Simulation {
    private static let patience: UInt64 = 2_000_000

    func startOperation(_ client: Int) {
        guard !areClientsStopped else { return }
        position += 1
        let request = drawRequest(client)
        var operation = ClientOperation(
            client: client, request: request, called: position, calledAt: now)
        if case .command(let command) = request { operation.payload = command.encode() }
        if case .command(.leaseRevoke(let id)) = request { leaseOracle.revoking(id) }
        operations.append(operation)
        let number = operations.count - 1
        var target = clients[client].target
        if target == 0 || random.chance(1, in: 5) { target = drawReplica().number }
        trace("client \(client) asks \(target) for \(number): \(request.text)")
        queue.add(
            .clientRequest(operation: number, replica: target),
            at: now + scenario.delayMin + below(scenario.delayMax))
        queue.add(.clientTimeout(operation: number), at: now + Self.patience)
    }

    // MARK: At the replica

    func takeRequest(_ operation: Int, _ number: Int, _ event: SimulationEvent) {
        guard operations[operation].isOpen else { return }
        let replica = replicas[number - 1]
        guard replica.process != nil else {
            return reply(operation, .failed(.noLeader))
        }
        guard live(number, replica.epoch, event) != nil else { return }
        let deadline = replica.clock.time(at: now).advanced(
            milliseconds: replica.settings.requestMilliseconds)
        let world = OneThread(self)
        switch operations[operation].request {
        case .command:
            let payload = operations[operation].payload ?? []
            tell(
                replica,
                .write(
                    PendingWrite(payload: payload, deadline: deadline) { result in
                        switch result {
                        case .success(let result):
                            world.value.reply(operation, .result(result), of: number)
                        case .failure(let error): world.value.reply(operation, .failed(error))
                        }
                    }))
        case .range(let request):
            tell(
                replica,
                .read(
                    PendingRead(deadline: deadline) { result in
                        switch result.flatMap({ $0.range(request) }) {
                        case .success(let range):
                            world.value.reply(operation, .range(range), of: number)
                        case .failure(let error): world.value.reply(operation, .failed(error))
                        }
                    }))
        case .keepAlive(let id):
            tell(
                replica,
                .question(
                    PendingQuestion(question: .leaseKeepAlive(id), deadline: deadline) { result in
                        // The leader's word, and not of anybody's state: the oracle has to hear
                        // of it through a replica that is wrong too.
                        switch result {
                        case .success(let ttl): world.value.reply(operation, .keptAlive(ttl))
                        case .failure(let error): world.value.reply(operation, .failed(error))
                        }
                    }))
        }
    }

    /// What a replica answers from a state that nobody has found to be wrong yet, is not judged.
    private func reply(_ operation: Int, _ answer: ClientReply, of number: Int) {
        if !replicas[number - 1].isWrong { reply(operation, answer) }
    }

    func reply(_ operation: Int, _ reply: ClientReply) {
        let delay = scenario.delayMin + below(scenario.delayMax)
        queue.add(.clientReply(operation: operation, reply), at: now + delay)
    }

    // MARK: At the client

    func takeReply(_ operation: Int, _ reply: ClientReply) {
        guard operations[operation].isOpen else { return }
        let client = operations[operation].client
        operations[operation].isOpen = false
        position += 1
        operations[operation].returned = position
        clients[client].target = 0
        switch reply {
        case .failed(let error):
            if case .keepAlive(let id) = operations[operation].request {
                leaseOracle.mayBeRenewed(id, latest: now + scenario.latestDelivery)
            }
            operations[operation].isRefused = error == .tooManyRequests
            trace("client \(client) has \(operation) failed: \(error)")
        case .result(let result):
            operations[operation].answer = ResultDigest.of(result)
            clients[client].successes += 1
            note(result, of: operation)
            trace("client \(client) has \(operation): \(result)")
        case .range(let response):
            operations[operation].answer = ResultDigest.of(response)
            clients[client].successes += 1
            clients[client].revision = max(clients[client].revision, response.revision)
            for item in response.keyValues { see(item, client) }
            trace("client \(client) has \(operation): revision \(response.revision)")
        case .keptAlive:
            clients[client].successes += 1
            if case .keepAlive(let id) = operations[operation].request {
                do throws(Violation) {
                    try leaseOracle.renewed(id, called: operations[operation].calledAt, now: now)
                    if let known = currentLeader?.process?.core.knownSeconds(ofLease: id) {
                        try leaseOracle.check(id, known: known, now: now)
                    }
                } catch {
                    violation = error
                }
            }
            trace("client \(client) has \(operation): kept alive")
        }
        hash.add(UInt64(operation))
        queue.add(.clientStart(client), at: now + 1 + below(thinkMax(client)))
    }

    /// Once the faults have ended, who was served lets the others go first, and in a calm stretch
    /// a few requests are enough.
    private func thinkMax(_ client: Int) -> UInt64 {
        if isCalm { return 10_000_000 }
        let isServed = clients[client].successes >= clients[client].successesWanted
        return isServed ? max(scenario.thinkMax, 400_000) : scenario.thinkMax
    }

    func takeTimeout(_ operation: Int) {
        guard operations[operation].isOpen else { return }
        operations[operation].isOpen = false
        trace("client \(operations[operation].client) gives \(operation) up")
        let client = operations[operation].client
        queue.add(.clientStart(client), at: now + below(thinkMax(client)))
    }

    private func see(_ item: KeyValue, _ client: Int) {
        clients[client].seen.removeAll { $0.key == item.key }
        clients[client].seen.append(item)
    }

    private func note(_ result: CommandResult, of operation: Int) {
        let client = operations[operation].client
        switch result {
        case .transaction(.success(let response)):
            clients[client].revision = max(clients[client].revision, response.revision)
            for case .range(let range) in response.responses {
                for item in range.keyValues { see(item, client) }
            }
        case .lease(.success(let lease)):
            clients[client].leases.append(lease.id)
            leaseOracle.granted(
                lease.id, seconds: lease.grantedTTLSeconds,
                called: operations[operation].calledAt, now: now)
        default: break
        }
    }

    // MARK: History

    /// Whether the history as the clients saw it has an order. Returns how many have not been
    /// decided.
    func checkHistory() throws(Violation) -> Int {
        var history = ClientHistory(committed, positions: appliedPositions)
        for (number, operation) in operations.enumerated() { try history.add(operation, number) }
        return try history.check() ? 0 : 1
    }
}
