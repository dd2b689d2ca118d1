import Basics
import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// A cluster, its clients, a network and disks in one thread, driven by one seed.
///
/// The same seed does the same in any process: time is a number, every choice comes from one
/// generator, and nothing depends on the order of a hash table.
package final class Simulation {
    package struct Options: Sendable {
        package var seed: UInt64
        /// Events before the cluster is healed.
        package var steps = 8_000
        /// Faults and kinds of weather to leave out, by name, to see which of them matter.
        package var without: [String] = []
        /// Where replicas keep their directories; made and removed by the caller.
        package var scratchDirectory = ""
        /// Called when a calm stretch begins, with true, and when it ends.
        package var onCalm: (@Sendable (Bool) -> Void)?
        /// Called with every line of the trace.
        package var trace: (@Sendable (String) -> Void)?

        package init(seed: UInt64) { self.seed = seed }
    }

    package struct Outcome: Sendable, Hashable {
        package var steps: Int
        package var hash: UInt64
        /// Operations that clients completed.
        package var operations: Int
        /// 1 if the history was too involved to decide.
        package var undecided: Int
        /// Milliseconds of the world.
        package var milliseconds: UInt64
        /// Of these, in a calm stretch.
        package var calmMilliseconds: UInt64
        /// Heartbeats and elections are as `martlet` has them.
        package var hasDefaultTimeouts: Bool
        package var coverage: Coverage
    }

    static let clusterID: UInt64 = 0x6d61_7274

    let options: Options
    var random: SeededRandom
    package let scenario: Scenario
    var queue = EventQueue<SimulationEvent>()
    var now: UInt64 = 0
    var steps = 0
    var hash = TraceHash()
    var network: Network
    var replicas: [SimulatedReplica] = []
    var coverage = Coverage()
    /// The first thing that was broken; set by calls that cannot throw.
    var violation: Violation?

    // Checks
    var invariants = RaftInvariants()
    var acknowledgements = Acknowledgements()
    var committed = CommittedLog()
    var leaseOracle: LeaseOracle
    /// When entries were first applied, by index - 1: positions in the history.
    var appliedPositions: [Int] = []

    /// No further faults; the network is whole.
    var isHealed = false
    /// Damage and wrong states that the faults left have been found since.
    var isDamageFound = false
    /// Clients ask for hardly anything.
    var isCalm = false
    var calmMilliseconds: UInt64 = 0
    var replacing: Int?
    /// When a replica last became leader, or the faults ended.
    var steadySince: UInt64 = 0
    /// Until then comes what pauses and slow disks held up when the faults ended.
    var heldUpUntil: UInt64 = 0
    /// Somebody's state was wrong: the alarm CORRUPT may come, which goes when everybody agrees.
    var wasSomebodyWrong = false
    /// The alarm CORRUPT stands since then.
    var corruptSince: UInt64?
    /// When a disk last was almost full: its member may have an alarm raised.
    var lastLowDisk: UInt64 = 0
    /// When somebody was last taken out of the cluster, or in.
    var lastChurn: UInt64 = 0
    var areClientsStopped = false

    var clients: [Client] = []
    var watchers: [Watcher] = []
    var operations: [ClientOperation] = []
    /// Position in the histories: rises with every call and return.
    var position = 0
    var nextLease: Int64 = 1
    /// Revisions that a compaction was asked for.
    var compactions: Set<Int64> = []

    package init(_ options: Options) {
        self.options = options
        random = SeededRandom(seed: options.seed &* 0x2545_f491_4f6c_dd1d &+ 1)
        var scenario = Scenario(&random)
        scenario.leaveOut(options.without)
        self.scenario = scenario
        network = Network(scenario.places)
        leaseOracle = LeaseOracle(driftPerMille: scenario.driftPerMille)
    }

    /// Runs the seed: first with faults, then healed until the cluster serves and agrees again.
    package func run() throws(Violation) -> Outcome {
        trace("seed \(options.seed): \(scenario.description)")
        defer {
            for replica in replicas {
                end(replica)
                // It knows this object.
                replica.settings.keyspace.onDamage = { _ in }
            }
        }
        try begin()
        while steps < options.steps { try step() }
        try converge()
        let undecided = try checkHistory()
        return Outcome(
            steps: steps, hash: hash.value,
            operations: clients.reduce(0) { $0 + $1.successes }, undecided: undecided,
            milliseconds: now / 1000, calmMilliseconds: calmMilliseconds,
            hasDefaultTimeouts: scenario.hasDefaultTimeouts,
            coverage: coverage)
    }

    private func begin() throws(Violation) {
        committed = CommittedLog(
            membership: Membership(voters: (1...scenario.replicas).map { member($0).id }))
        for number in 1...scenario.places {
            let drift = scenario.driftPerMille
            let clock = SimulatedClock(perMille: 1000 - drift + below(2 * drift))
            let replica = SimulatedReplica(number, settings(number), clock)
            if number > scenario.replicas { replica.condition = .spare }
            replicas.append(replica)
        }
        for replica in activeReplicas { try start(replica) }
        if scenario.faults.contains(.learner) { try takeInLearner() }
        for _ in 0..<scenario.clients + scenario.rushingClients { clients.append(Client()) }
        for client in clients.indices {
            queue.add(.clientStart(client), at: below(scenario.thinkMax))
        }
        for watcher in 0..<scenario.watchers {
            watchers.append(Watcher())
            queue.add(.watchPull(watcher, serial: 0), at: 1_000_000 + below(3_000_000))
        }
        queue.add(.fault, at: scenario.faultInterval)
        queue.add(.operatorLooks, at: 500_000)
    }

    /// Those that are members, or have been, or are to be.
    var activeReplicas: [SimulatedReplica] { replicas.filter { $0.condition != .spare } }

    func drawReplica() -> SimulatedReplica {
        let active = activeReplicas
        return active[random.below(active.count)]
    }

    func member(_ number: Int) -> ReplicaMember {
        ReplicaMember(
            id: UInt64(number) * 1000 + 1, name: "replica-\(number)", peerHost: "",
            peerPort: number)
    }

    private func settings(_ number: Int) -> ReplicaSettings {
        var settings = ReplicaSettings(
            directory: options.scratchDirectory + "/\(options.seed)-\(number)",
            clusterID: Self.clusterID, name: member(number).name, members: [],
            seed: options.seed &* 31 &+ UInt64(number))
        scenario.set(&settings)
        settings.campaignsAtOnce = number == 1
        settings.requestMilliseconds = 1_500
        settings.keyspace.mapBytes = 1 << 28
        settings.keyspace.servesHistoryOnCaller = true
        return settings
    }

    /// Makes the next thing happen.
    func step() throws(Violation) {
        steps += 1
        let due = queue.nextTime ?? .max
        if let replica = nextRound(before: due) {
            now = max(now, replica.roundAt)
            hash.add(now)
            try runRound(replica)
        } else {
            guard let (time, event) = queue.takeNext() else {
                throw .liveness("nothing is left to happen")
            }
            now = max(now, time)
            hash.add(now)
            try handle(event)
        }
        if let violation { throw violation }
    }

    /// The replica whose core is to run next, if that is before `due`. The rounds are not in the
    /// queue, because most are set for earlier several times before they come.
    private func nextRound(before due: UInt64) -> SimulatedReplica? {
        var next: SimulatedReplica?
        var time = due
        for replica in replicas where replica.roundAt < time {
            next = replica
            time = replica.roundAt
        }
        return next
    }

    private func handle(_ event: SimulationEvent) throws(Violation) {
        switch event {
        case .deliver(let packet, let from, let lives, let to, let fromMember, let toMember):
            deliver(packet, from, lives, to, fromMember, toMember, event)
        case .invitation(let greeter, let invitation, let number):
            deliver(invitation, greeter, number, event)
        case .found(let member, let token, let number, let epoch):
            if let replica = live(number, epoch, event) {
                tell(replica, .found(member, token: token))
            }
        case .logDone(let number, let epoch):
            guard let replica = live(number, epoch, event) else { return }
            try finishLogBatch(replica)
        case .served(let read, let keyspace, let number, let epoch):
            if live(number, epoch, event) != nil { read.done(.success(keyspace)) }
        case .snapshotSaved(let number, let epoch):
            if let replica = live(number, epoch, event) { finishSave(replica) }
        case .snapshotStreamed(let number, let to, let epoch):
            finishStream(number, to, epoch)
        case .linkCheck(let number, let epoch):
            if let replica = live(number, epoch, event) { checkLinks(replica) }
        case .scrub(let number, let epoch):
            if let replica = live(number, epoch, event) { try scrub(replica) }
        case .restart(let number, let epoch):
            let replica = replicas[number - 1]
            if replica.epoch == epoch, replica.process == nil, !replica.isGone {
                try start(replica)
            }
        case .spaceFreed(let number):
            replicas[number - 1].files.capacityBytes = nil
            replicas[number - 1].hasLowDisk = false
        case .networkHeals: network.heal()
        case .directoryLost(let number): try directoryLost(replicas[number - 1])
        case .fault: try injectFault()
        case .operatorLooks: try operatorLooks()
        case .operatorHeard(let number, let isDone): operatorHeard(number, isDone)
        default: try handleClient(event)
        }
    }

    private func handleClient(_ event: SimulationEvent) throws(Violation) {
        switch event {
        case .clientStart(let client): startOperation(client)
        case .clientRequest(let operation, let number): takeRequest(operation, number, event)
        case .clientReply(let operation, let reply): takeReply(operation, reply)
        case .clientTimeout(let operation): takeTimeout(operation)
        case .watchPull(let watcher, let serial): pull(watcher, serial)
        case .watchAnswer(let watcher, let serial, let result):
            try takeAnswer(watcher, serial, result)
        default: break
        }
    }

    func number(named name: String) -> Int { Int(name.dropFirst(8)) ?? 1 }

    /// The replica whose running process an event is for; nil if it is void or was put off to the
    /// end of a pause.
    func live(_ number: Int, _ epoch: Int, _ event: SimulationEvent) -> SimulatedReplica? {
        let replica = replicas[number - 1]
        guard replica.process != nil, replica.epoch == epoch else { return nil }
        guard replica.pausedUntil <= now else {
            // Its sockets are read by several threads: who comes first after a pause is chance.
            var late: UInt64 = 0
            if case .deliver = event { late = below(5_000) }
            queue.add(event, at: replica.pausedUntil + late)
            return nil
        }
        return replica
    }

    /// A number in `0...bound`.
    func below(_ bound: UInt64) -> UInt64 { random.next() % (bound + 1) }

    func chance(per10000 share: Int) -> Bool {
        share > 0 && !isHealed && random.chance(share, in: 10_000)
    }

    func trace(_ text: @autoclosure () -> String) {
        guard let trace = options.trace else { return }
        let micro = String(now % 1000)
        let fraction = String(repeating: "0", count: 3 - micro.count) + micro
        trace("\(steps) \(now / 1000).\(fraction) ms: \(text())")
    }
}
