import Basics
import Raft
import WriteAheadLog

/// Processes that end and begin.
extension Simulation {
    func addNode(_ id: UInt64, membership: Membership) throws(Violation) {
        let drift = UInt64(scenario.driftPercent)
        let period = scenario.tickPeriod * (100 - drift + below(2 * drift)) / 100
        let node = Node(
            id: id, initialMembership: membership, tickPeriod: period,
            state: try makeState(id, restoring: nil))
        nodes.append(node)
        try start(node)
    }

    func makeState(
        _ id: UInt64, restoring image: StateImage?
    ) throws(Violation) -> any SimulatedState {
        guard scenario.usesLMDB else {
            guard let image else { return ModelState() }
            return try ModelState(restoring: image)
        }
        stateCount += 1
        return try LMDBState(
            directory: "\(options.scratchDirectory)/\(id)-\(stateCount)", restoring: image)
    }

    /// The process is gone. With `losesPower`, so is what was not synced: the log keeps any part of
    /// it, and the keyspace file is not trusted.
    func stop(_ node: Node, losesPower: Bool) throws(Violation) {
        guard node.isRunning else { return }
        trace("\(node.id) \(losesPower ? "loses power" : "is killed")")
        node.isRunning = false
        node.epoch += 1
        node.pausedUntil = 0
        node.log?.close()
        node.log = nil
        node.tasks = []
        node.underWay = nil
        node.arrived = []
        node.proposals = []
        node.reads = []
        node.isImageDue = false
        if losesPower {
            node.files.crash(&random)
            node.state.discard()
            node.state = try makeState(node.id, restoring: node.newestImage)
        } else {
            try node.state.reopen()
        }
    }

    /// A process begins with what the disk holds.
    func start(_ node: Node) throws(Violation) {
        var logOptions = WriteAheadLog.Options()
        logOptions.segmentBytes = scenario.segmentBytes
        logOptions.firstReserveBytes = 1024
        let applied = node.state.appliedIndex
        let skipping = min(applied, below(applied + applied / 2))
        let log: WriteAheadLog
        var recovered: RecoveredLog
        do {
            (log, recovered) = try WriteAheadLog.open(
                node.files, clusterID: Self.clusterID, options: logOptions, skipping: skipping)
            if !Self.holds(recovered, applied, node.state.appliedTerm) {
                guard recovered.previousIndex <= applied else {
                    throw Violation.correctness(
                        "the log of \(node.id) begins after \(recovered.previousIndex), its state "
                            + "ends at \(applied)")
                }
                // A crash came between a snapshot's installation and its mark in the log.
                let mark = SnapshotMark(
                    index: applied, term: node.state.appliedTerm, isInstalled: true)
                try log.mark(mark)
                try log.sync()
                recovered.previousIndex = applied
                recovered.previousTerm = mark.term
                recovered.entries = []
            }
        } catch let violation as Violation {
            throw violation
        } catch {
            throw .correctness("the log of \(node.id) does not open: \(error)")
        }
        try begin(node, log, recovered)
    }

    private func begin(
        _ node: Node, _ log: WriteAheadLog, _ recovered: RecoveredLog
    ) throws(Violation) {
        var membership = try node.state.decodedMembership()
        if membership.voters.isEmpty { membership = node.initialMembership }
        let applied = node.state.appliedIndex
        trace(
            "\(node.id) starts: term \(recovered.hardState.term), log "
                + "\(recovered.previousIndex)...\(recovered.lastIndex), applied \(applied)")
        var configuration = Raft.Configuration(
            id: node.id, electionTicksMin: 10, heartbeatTicks: 2, seed: random.next())
        configuration.inflightMessagesMax = scenario.inflightMessagesMax
        configuration.messageBytesMax = scenario.messageBytesMax
        configuration.committedBytesMax = 2048
        node.raft = Raft(
            configuration,
            Raft.InitialState(
                hardState: recovered.hardState, membership: membership,
                snapshotIndex: recovered.previousIndex, snapshotTerm: recovered.previousTerm,
                entries: recovered.entries, applied: applied))
        node.log = log
        node.isRunning = true
        node.termSeen = node.raft.term
        node.commitSeen = node.raft.commitIndex
        node.lastImageIndex = node.newestImage?.meta.index ?? 0
        queue.add(.tick(node: node.id, epoch: node.epoch), at: now + below(node.tickPeriod))
        try pump(node)
    }

    /// Whether the log holds the entry that the state machine applied last, or ends right there.
    private static func holds(_ log: RecoveredLog, _ applied: UInt64, _ term: UInt64) -> Bool {
        if applied == log.previousIndex { return log.previousTerm == term || applied == 0 }
        guard applied > log.previousIndex, applied <= log.lastIndex else { return false }
        return log.entries[Int(applied - log.previousIndex) - 1].term == term
    }
}
