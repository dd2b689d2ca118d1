import Basics
import Raft

/// Replicas in memory with a network that keeps order, and a trace of all they do.
struct TestCluster {
    private(set) var trace: [String] = []
    var replicas: [TestReplica] = []
    private var network: [Message] = []
    /// Snapshots that are being streamed: sender, receiver.
    private var streams: [(from: UInt64, to: UInt64)] = []
    private var snapshots: [(meta: SnapshotMeta, state: [String])] = []
    /// Directed links that lose what is sent over them.
    private var cut: [(from: UInt64, to: UInt64)] = []
    private let options: Options

    struct Options {
        var inflight = 256
        var messageBytes = 1 << 20
        var uncommittedBytes = 1 << 20
        var inflightBytes = 1 << 20
        var leaseNanoseconds: UInt64 = 0
    }

    init(voters: Int, learners: Int = 0, options: Options = Options()) {
        self.options = options
        let membership = Membership(
            voters: (0..<voters).map { UInt64($0 + 1) },
            learners: (0..<learners).map { UInt64(voters + $0 + 1) })
        for id in membership.all { add(id, membership: membership) }
    }

    /// A replica that knows `membership`; for a new member an empty one.
    mutating func add(_ id: UInt64, membership: Membership) {
        precondition(Int(id) == replicas.count + 1)
        let configuration = Raft.Configuration(
            id: id, electionTicksMin: 10, heartbeatTicks: 1,
            inflightMessagesMax: options.inflight, inflightBytesMax: options.inflightBytes,
            messageBytesMax: options.messageBytes, uncommittedBytesMax: options.uncommittedBytes,
            leaseNanoseconds: options.leaseNanoseconds, seed: 1)
        replicas.append(TestReplica(configuration, membership: membership))
    }

    subscript(_ id: UInt64) -> TestReplica {
        get { replicas[Int(id) - 1] }
        set { replicas[Int(id) - 1] = newValue }
    }

    var ids: [UInt64] { replicas.indices.map { UInt64($0 + 1) } }

    mutating func note(_ line: String) { trace.append(line) }

    mutating func takeTrace() -> [String] {
        defer { trace = [] }
        return trace
    }

    // MARK: Network

    mutating func cutLink(_ from: UInt64, _ to: UInt64) { cut.append((from, to)) }

    mutating func isolate(_ id: UInt64) {
        for other in 1...UInt64(replicas.count) where other != id {
            cutLink(id, other)
            cutLink(other, id)
        }
    }

    mutating func heal() { cut = [] }

    private mutating func send(_ messages: [Message]) {
        for message in messages {
            let isLost =
                Int(message.to) > replicas.count
                || cut.contains { $0.from == message.from && $0.to == message.to }
            note("  " + describe(message) + (isLost ? "  lost" : ""))
            if !isLost { network.append(message) }
        }
    }

    /// Delivers what is under way now, as far as it is for one of `members`.
    mutating func deliver(to members: [UInt64], from sender: UInt64? = nil) {
        func isArriving(_ message: Message) -> Bool {
            members.contains(message.to) && (sender == nil || message.from == sender)
        }
        let arriving = network.filter(isArriving)
        network.removeAll(where: isArriving)
        for message in arriving {
            self[message.to].raft.step(message)
        }
    }

    /// Forgets messages under way to `id`.
    mutating func lose(to id: UInt64) { network.removeAll { $0.to == id } }

    /// Delivers everything and handles every Ready until nothing is left to do.
    mutating func stabilize() {
        let everyone = ids
        for _ in 0..<1000 {
            var isQuiet = true
            for id in everyone where handleReady(id) { isQuiet = false }
            if finishStreams() { isQuiet = false }
            if !network.isEmpty { isQuiet = false }
            deliver(to: everyone)
            if isQuiet { return }
        }
        note("does not come to rest")
    }

    // MARK: Readys

    /// Does what the replica wants done. Returns whether there was anything.
    mutating func handleReady(_ id: UInt64) -> Bool {
        var didAny = false
        while let ready = self[id].raft.takeReady() {
            didAny = true
            note("\(id) ready")
            describe(ready)
            send(ready.messages)
            for peer in ready.snapshotsToSend { streams.append((id, peer)) }
            if ready.mark != nil { self[id].pendingWrites.append(ready) }
            self[id].apply(ready.committed)
            if let meta = ready.snapshotToInstall {
                install(meta, at: id, keepsLog: ready.keepsLog)
            }
            if !self[id].isDiskManual { persist(id, count: Int.max) }
        }
        return didAny
    }

    mutating func persist(_ id: UInt64, count: Int) {
        for _ in 0..<min(count, self[id].pendingWrites.count) { send(self[id].persistOne()) }
    }

    private mutating func install(_ meta: SnapshotMeta, at id: UInt64, keepsLog: Bool) {
        guard let snapshot = snapshots.last(where: { $0.meta == meta }) else {
            preconditionFailure("nobody made snapshot \(meta)")
        }
        self[id].install(meta, state: snapshot.state, keepsLog: keepsLog)
    }

    /// A stream carries the sender's state as it is when the stream ends.
    private mutating func finishStreams() -> Bool {
        let due = streams
        streams = []
        for (from, to) in due {
            let sender = self[from]
            let index = sender.raft.appliedIndex
            let meta = SnapshotMeta(
                index: index, term: sender.raft.term(at: index) ?? 0,
                membership: sender.membership)
            snapshots.append((meta, sender.applied))
            let isLost =
                Int(to) > replicas.count || cut.contains { $0.from == from && $0.to == to }
            note(
                "\(from) streams snapshot \(meta.term)/\(index) to \(to)"
                    + (isLost ? "  lost" : ""))
            if !isLost {
                let body = Message.Body.installSnapshot(meta)
                self[to].raft.step(
                    Message(from: from, to: to, term: sender.raft.term, body: body))
            }
            self[from].raft.snapshotSent(to: to, succeeded: !isLost)
        }
        return !due.isEmpty
    }

    // MARK: Trace

    private mutating func describe(_ ready: Ready) {
        if let change = ready.leaderChange {
            note("  \(change.role) in term \(change.term), leader \(change.leader)")
        }
        if let state = ready.hardState {
            note("  write term=\(state.term) vote=\(state.vote) commit=\(state.commit)")
        }
        if !ready.entries.isEmpty { note("  write " + Trace.describe(ready.entries)) }
        if !ready.committed.isEmpty { note("  apply " + Trace.describe(ready.committed)) }
        if let meta = ready.snapshotToInstall {
            note(
                "  install snapshot \(meta.term)/\(meta.index)"
                    + (ready.keepsLog ? ", keep the log" : ""))
        }
        for read in ready.reads { note("  read \(read.token) at \(read.index)") }
        for token in ready.abandonedReads { note("  read \(token) abandoned") }
    }

    private func describe(_ message: Message) -> String { Trace.describe(message) }
}
