import Basics
import Raft

/// A cluster, its clients, a network and disks in one thread, driven by one seed.
///
/// The same seed does the same in any process: time is a number, every choice comes from one
/// generator, and nothing depends on the order of a hash table.
package final class Simulation {
    package struct Options: Sendable {
        package var seed: UInt64
        /// Events before the cluster is healed.
        package var steps = 20_000
        /// Every how many seeds LMDB holds the state; 0 for never.
        package var lmdbShare = 1
        /// Where LMDB keeps its files; made and removed by the caller.
        package var scratchDirectory = ""
        /// Called with every line of the trace.
        package var trace: (@Sendable (String) -> Void)?

        package init(seed: UInt64) { self.seed = seed }
    }

    package struct Outcome: Sendable, Hashable {
        package var steps: Int
        package var hash: UInt64
        /// Operations that clients completed.
        package var operations: Int
        /// Keys whose history was too involved to decide.
        package var undecided: Int
    }

    static let clusterID: UInt64 = 0x6d61_7274

    let options: Options
    var random: SeededRandom
    let scenario: Scenario
    var queue = EventQueue<SimulationEvent>()
    var now: UInt64 = 0
    var steps = 0
    var hash = TraceHash()
    var network = Network()
    var nodes: [Node] = []
    var checker = ConsensusChecker()
    var isHealed = false
    var replacement: Replacement?

    var clients: [Client] = []
    var operations: [ClientOperation] = []
    /// Position in the histories: rises with every call and return.
    var position = 0
    /// The newest revision that a client was told.
    var revisionSeen: Int64 = 0
    var areClientsStopped = false
    /// Directories made for LMDB so far.
    var stateCount = 0

    package init(_ options: Options) {
        self.options = options
        random = SeededRandom(seed: options.seed &* 0x2545_f491_4f6c_dd1d &+ 1)
        scenario = Scenario(&random, seed: options.seed, lmdbShare: options.lmdbShare)
    }

    /// Runs the seed: first with faults, then healed until the cluster serves and agrees again.
    package func run() throws(Violation) -> Outcome {
        trace("seed \(options.seed): \(scenario.description)")
        try begin()
        while steps < options.steps { try step() }
        try converge()
        let undecided = try checkHistories()
        for node in nodes { node.state.discard() }
        return Outcome(
            steps: steps, hash: hash.value,
            operations: clients.reduce(0) { $0 + $1.successes }, undecided: undecided)
    }

    private func begin() throws(Violation) {
        let ids = (1...UInt64(scenario.replicas)).map { $0 }
        let membership = Membership(voters: ids)
        for id in ids { try addNode(id, membership: membership) }
        clients = (0..<scenario.clients).map { _ in
            Client(seen: [Int](repeating: 0, count: scenario.keys))
        }
        for client in clients.indices {
            queue.add(.clientStart(client), at: below(scenario.thinkMax))
        }
        queue.add(.fault, at: scenario.faultInterval)
        nodes[0].raft.campaign()
        try pump(nodes[0])
    }

    /// Makes the next thing happen.
    func step() throws(Violation) {
        guard let (time, event) = queue.takeNext() else {
            throw .liveness("nothing is left to happen")
        }
        now = max(now, time)
        steps += 1
        hash.add(now)
        try handle(event)
    }

    private func handle(_ event: SimulationEvent) throws(Violation) {
        switch event {
        case .tick(let id, let epoch): try tick(id, epoch, event)
        case .deliver(let bytes, let id): try deliver(bytes, to: id, event)
        case .logDone(let id, let epoch):
            guard let node = live(id, epoch, event) else { return }
            try finishLogTask(node)
        case .snapshotStreamed(let image, let from, let to, let term, let epoch):
            try finishStream(image, from: from, to: to, term: term, epoch: epoch)
        case .restart(let id, let epoch):
            let node = self.node(id)
            if node.epoch == epoch, !node.isRunning, !node.isRetired { try start(node) }
        case .fault: try injectFault()
        case .replacementStep: try advanceReplacement()
        case .clientStart(let client): startOperation(client)
        case .clientRequest(let operation, let id):
            try takeRequest(operation, at: node(id), event)
        case .clientReply(let operation, let reply): takeReply(operation, reply)
        case .clientTimeout(let operation): takeTimeout(operation)
        }
    }

    func node(_ id: UInt64) -> Node { nodes[Int(id) - 1] }

    /// The running process that an event is for; nil if it is void or was put off to the end of a
    /// pause.
    func live(_ id: UInt64, _ epoch: Int, _ event: SimulationEvent) -> Node? {
        let node = self.node(id)
        guard node.isRunning, node.epoch == epoch else { return nil }
        guard node.pausedUntil <= now else {
            queue.add(event, at: node.pausedUntil)
            return nil
        }
        return node
    }

    private func tick(
        _ id: UInt64, _ epoch: Int, _ event: SimulationEvent
    ) throws(Violation) {
        guard let node = live(id, epoch, event) else { return }
        queue.add(event, at: now + node.tickPeriod)
        node.raft.tick()
        try pump(node)
    }

    private func deliver(
        _ bytes: Bytes, to id: UInt64, _ event: SimulationEvent
    ) throws(Violation) {
        let node = self.node(id)
        guard let node = live(id, node.epoch, event) else { return }
        let message: Message
        do {
            message = try Message(decoding: bytes)
        } catch {
            throw .correctness("a message does not decode: \(error)")
        }
        guard !network.isBlocked(from: message.from, to: id) else { return }
        hash.add(bytes)
        trace("\(id) receives \(message.text)")
        node.raft.step(message)
        try pump(node)
    }

    /// A number in `0...bound`.
    func below(_ bound: UInt64) -> UInt64 { random.next() % (bound + 1) }

    func chance(per10000 share: Int) -> Bool {
        share > 0 && !isHealed && random.chance(share, in: 10_000)
    }

    func trace(_ text: @autoclosure () -> String) {
        guard let trace = options.trace else { return }
        let milliseconds = now / 1000
        let micro = String(now % 1000)
        let fraction = String(repeating: "0", count: 3 - micro.count) + micro
        trace("\(steps) \(milliseconds).\(fraction) ms: \(text())")
    }
}
