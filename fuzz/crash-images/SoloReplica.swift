import Basics
import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// A cluster of one in one thread: the production core, opening, log and keyspace on real files,
/// with a clock that counts rounds.
final class SoloReplica {
    private let environment: SoloEnvironment
    private let core: ReplicaCore
    private var now: MonotonicTime

    init(directory: String, isNewCluster: Bool) throws(ReplicaFailure) {
        var settings = ReplicaSettings(
            directory: directory, clusterID: 0xc1,
            name: "replica-1",
            members: [ReplicaMember(id: 1, name: "replica-1", peerHost: "", peerPort: 0)], seed: 1)
        settings.isNewCluster = isNewCluster
        settings.campaignsAtOnce = true
        settings.logSegmentBytes = 65_536
        settings.snapshotLogBytes = 100_000
        let opened = try ReplicaOpening(settings).open()
        environment = SoloEnvironment(opened.log, opened.directory)
        now = MonotonicTime(nanoseconds: 1_000_000_000)
        core = ReplicaCore(settings, opened, environment: environment, now: now)
        try core.begin()
    }

    /// Rounds until this replica leads and has applied everything.
    func becomeReady() throws(ReplicaFailure) {
        for _ in 0..<200 {
            if let raft = core.raft, raft.hasCommittedInTerm, raft.appliedIndex == raft.lastIndex {
                return
            }
            try round([])
        }
        throw ReplicaFailure(nil, "the replica does not become ready")
    }

    /// Proposes all at once, and goes on until each is answered. Calls `done` in their order.
    func write(
        _ commands: [Command], _ done: @escaping @Sendable (Int) -> Void
    ) throws(ReplicaFailure) {
        let left = Locked(commands.count)
        let inputs = commands.enumerated().map { index, command in
            ReplicaInput.write(
                PendingWrite(
                    payload: command.encode(), deadline: now.advanced(milliseconds: 60_000)
                ) { result in
                    if case .success = result { done(index) }
                    left.withLock { $0 -= 1 }
                })
        }
        try round(inputs)
        for _ in 0..<200 where left.withLock({ $0 }) > 0 { try round([]) }
        guard left.withLock({ $0 }) == 0 else {
            throw ReplicaFailure(nil, "a write got no answer")
        }
    }

    private func round(_ inputs: [ReplicaInput]) throws(ReplicaFailure) {
        now = now.advanced(milliseconds: 20)
        try core.step(environment.takeInputs() + inputs, now: now)
        try environment.work()
    }

    var keyspace: Keyspace? { environment.keyspace }

    func stop() throws(ReplicaFailure) { try core.stop() }

    func abandon() { core.abandon() }
}

/// Does at once what the core asks; there are no peers.
private final class SoloEnvironment: ReplicaEnvironment, @unchecked Sendable {
    // Sendable because all of it happens on one thread.
    private let writeAheadLog: WriteAheadLog
    private let directory: ReplicaDirectory
    private var waiting: [LogWork] = []
    private var snapshotWanted: Keyspace?
    private var inputs: [ReplicaInput] = []
    private(set) var keyspace: Keyspace?

    init(_ log: WriteAheadLog, _ directory: ReplicaDirectory) {
        writeAheadLog = log
        self.directory = directory
    }

    func takeInputs() -> [ReplicaInput] {
        defer { inputs = [] }
        return inputs
    }

    /// What threads do in production.
    func work() throws(ReplicaFailure) {
        do {
            if !waiting.isEmpty {
                var batch = LogBatch()
                for work in waiting { try batch.write(work, to: writeAheadLog) }
                waiting = []
                try writeAheadLog.sync()
                inputs += batch.reports(writeAheadLog)
                try batch.release(writeAheadLog)
            }
            guard let wanted = snapshotWanted else { return }
            snapshotWanted = nil
            let stream = try wanted.snapshot(clusterID: 0xc1)
            let path = directory.snapshot(index: stream.header.index)
            inputs.append(.snapshotSaved(.success(try SnapshotFile.save(stream, to: path))))
        } catch {
            throw ReplicaFailure(wrapping: error)
        }
    }

    func log(_ work: LogWork) { waiting.append(work) }
    func send(_ messages: [Message]) {}
    func send(_ requests: [PeerRequest], to peer: UInt64) -> Bool { false }
    func send(_ answers: [PeerAnswer], to peer: UInt64) {}
    func isUp(_ peer: UInt64) -> Bool { false }
    func setMembers(_ members: [ReplicaMember], invitations: [Invitation]) {}
    func setOwnID(_ id: UInt64, joinToken: UInt64) {}
    func serve(_ reads: [PendingRead], _ keyspace: Keyspace) {}
    func saveSnapshot(of keyspace: Keyspace) { snapshotWanted = keyspace }
    func sendSnapshot(of keyspace: Keyspace, to member: ReplicaMember, term: UInt64) {}
    func replaceKeyspace(
        bySnapshot path: String, memberID: UInt64
    ) throws(ReplicaFailure) -> Keyspace {
        throw ReplicaFailure(nil, "there is nobody to get a snapshot from")
    }
    func removeSnapshot(_ path: String) throws(ReplicaFailure) { try FileSystem.remove(path) }
    func removeSnapshot(ofEntry index: UInt64) throws(ReplicaFailure) {
        try FileSystem.remove(directory.snapshot(index: index))
    }
    func removeSnapshots(before index: UInt64) throws(ReplicaFailure) {
        try directory.removeSnapshots(before: index)
    }
    func hasDirectory() -> Bool { true }
    func join(as memberID: UInt64) throws(ReplicaFailure) {}
    func noteDivergence(_ reason: String) throws(ReplicaFailure) {
        try directory.noteDivergence(reason)
    }
    func closeCleanly(_ keyspace: Keyspace) throws(ReplicaFailure) {
        try directory.closeCleanly(keyspace)
    }
    func publish(_ status: ReplicaStatus) {}
    func publish(_ keyspace: Keyspace?) { self.keyspace = keyspace }
    func stop() { writeAheadLog.close() }
    func refuseInputs(_ error: StoreError) {}
}
