import Basics
import Keyspace
import Raft
import WriteAheadLog

/// The replica's thread: owns Raft and the keyspace's writer, and does what Raft says.
///
/// One round: take everything from the inbox, feed Raft, then do what its Readys ask for. So
/// whatever came in while the last round ran goes through the log, the network and the keyspace
/// as one batch.
final class ReplicaCore {
    let configuration: ReplicaConfiguration
    let directory: ReplicaDirectory
    let shared: ReplicaShared
    let log: LogWriter
    let transport: PeerTransport
    let readers: WorkerPool

    /// nil while the replica waits for its replacement.
    var raft: Raft?
    var memberID: UInt64
    var keyspace: Keyspace
    var cluster: ClusterMembers {
        didSet { addressed = withAddresses(cluster) }
    }
    /// `cluster` with the addresses of this start.
    private(set) var addressed = ClusterMembers.none
    /// Who dialled a replica that does not know the members yet.
    var greeters: [ReplicaMember] = []
    let startedEmpty: Bool

    // What came in this round.
    var newWrites: [PendingWrite] = []
    var newReads: [PendingRead] = []
    var newQuestions: [PendingQuestion] = []

    // What waits for a leader, an answer, or an index.
    var waiting = WaitingWrites()
    var asked = AskedRequests()
    var reads = WaitingReads()

    var lessor = Lessor(ttlSecondsMin: 1)
    var isLessorActive = false
    var replacement: Replacement?
    var snapshots = SnapshotState()
    var memory = MemoryWindow()

    var now = MonotonicTime.now()
    var ticks: UInt64 = 0
    var failure: ReplicaFailure?
    var isStopping = false
    /// Messages of peers came with the last tick.
    private var isHearing = false

    init(
        _ configuration: ReplicaConfiguration, _ opened: OpenedReplica, shared: ReplicaShared,
        log: LogWriter, transport: PeerTransport, readers: WorkerPool
    ) {
        self.configuration = configuration
        self.shared = shared
        self.log = log
        self.transport = transport
        self.readers = readers
        directory = opened.directory
        memberID = opened.memberID
        keyspace = opened.keyspace
        cluster = opened.cluster
        startedEmpty = opened.isNew
        addressed = withAddresses(cluster)
        if memberID != 0 { raft = Raft(raftConfiguration(), opened.initial) }
        snapshots.logBytesAtLast = opened.log.usedBytes
        memory.begin(applied: keyspace.appliedIndex)
        if isStateKnown { shared.keyspace.withLock { $0 = opened.keyspace } }
        publishStatus()
    }

    /// Whether the keyspace is the cluster's, however old; not so in an empty new member.
    var isStateKnown: Bool { raft.map { !$0.isBlank } ?? false }

    func raftConfiguration() -> Raft.Configuration {
        let tick = max(1, configuration.heartbeatMilliseconds)
        return Raft.Configuration(
            id: memberID,
            electionTicksMin: max(2, Int(configuration.electionMilliseconds / tick)),
            heartbeatTicks: 1, inflightMessagesMax: 64, seed: configuration.seed ^ memberID)
    }

    func run() {
        transport.setMembers(addressed)
        var batch: [ReplicaInput] = []
        let interval = configuration.heartbeatMilliseconds
        var nextTick = now.advanced(milliseconds: interval)
        do throws(ReplicaFailure) {
            if configuration.campaignsAtOnce && startedEmpty { raft?.campaign() }
            try drain()
            while !isStopping {
                // A follower's ticks ride on the leader's heartbeats as long as they come, so that
                // an idle replica wakes up half as often.
                let slack = isHearing && raft?.role == .follower ? interval / 2 : 0
                shared.inbox.take(into: &batch, until: nextTick.advanced(milliseconds: slack))
                now = MonotonicTime.now()
                for input in batch { try take(input) }
                submit()
                if now.advanced(milliseconds: slack / 2) >= nextTick {
                    tick()
                    isHearing = batch.contains { input in
                        if case .messages = input { true } else { false }
                    }
                    nextTick = now.advanced(milliseconds: interval)
                }
                try drain()
                publishStatus()
            }
            try stop()
        } catch {
            end(with: error)
        }
    }

    private func take(_ input: ReplicaInput) throws(ReplicaFailure) {
        switch input {
        case .write(let write): newWrites.append(write)
        case .read(let read): newReads.append(read)
        case .question(let question): newQuestions.append(question)
        case .messages(let messages):
            for message in messages where message.to == memberID { raft?.step(message) }
        case .peerRequests(let peer, let requests): answer(requests, from: peer)
        case .peerAnswers(_, let answers): take(answers)
        case .peerUp(let peer):
            campaignIfFirst()
            if raft?.leader == peer { newWrites = waiting.takeHeld() + newWrites }
        case .peerDown(let peer):
            raft?.unreachable(peer)
            asked.fail(to: peer, held: &newQuestions)
        case .greeted(let id, let name, let asID): try greeted(id, name, as: asID)
        case .snapshotReceived(let from, let term, let path, let header):
            try snapshotReceived(from, term, path, header)
        case .snapshotSent(let peer, let succeeded):
            snapshots.sending.removeAll { $0 == peer }
            raft?.snapshotSent(to: peer, succeeded: succeeded)
        case .snapshotSaved(let result): try snapshotSaved(result)
        case .persisted(let mark, let logBytes):
            if let mark { raft?.persisted(mark) }
            logGrew(logBytes)
        case .failed(let failure): throw failure
        case .stop: isStopping = true
        }
    }

    /// Hands what came in this round to Raft.
    private func submit() {
        submitWrites()
        submitReads()
        submitQuestions()
    }

    private func tick() {
        ticks += 1
        raft?.tick()
        campaignIfFirst()
        expireLeases()
        advanceReplacement()
        if ticks % 5 == 0 { expireRequests() }
        if ticks % 20 == 0 { checkDirectory() }
        reads.retry(into: &newReads)
        submitReads()
    }

    /// In a new cluster one replica does not wait for an election timeout.
    private func campaignIfFirst() {
        guard configuration.campaignsAtOnce, startedEmpty, let raft, raft.leader == 0,
            raft.lastIndex == 0, raft.role == .follower || raft.role == .preCandidate
        else { return }
        self.raft?.campaign()
    }

    /// A directory that was removed under a running replica: what is written from now on is lost.
    private func checkDirectory() {
        guard memberID != 0, !FileSystem.exists(directory.identity) else { return }
        shared.inbox.sendAlways(
            .failed(ReplicaFailure(nil, "\(directory.path) was removed while in use")))
    }

    func publishStatus() {
        var status = ReplicaStatus()
        status.memberID = memberID
        status.isWaitingForReplacement = memberID == 0
        if let raft {
            status.role = raft.role
            status.leaderID = raft.leader
            status.term = raft.term
            status.commitIndex = raft.commitIndex
            status.appliedIndex = raft.appliedIndex
            status.isLearner = raft.membership.learners.contains(memberID)
        }
        status.members = addressed.members
        status.learners = cluster.membership.learners
        status.logBytes = snapshots.logBytes
        shared.status.withLock { $0 = status }
    }

    /// The members with the addresses of this start.
    private func withAddresses(_ cluster: ClusterMembers) -> ClusterMembers {
        var cluster = cluster
        for position in cluster.members.indices {
            let name = cluster.members[position].name
            guard let known = configuration.members.first(where: { $0.name == name }) else {
                continue
            }
            cluster.members[position].peerHost = known.peerHost
            cluster.members[position].peerPort = known.peerPort
            cluster.members[position].clientURLs = known.clientURLs
        }
        return cluster
    }

    /// The orderly end: the keyspace file is trusted at the next start.
    private func stop() throws(ReplicaFailure) {
        failEverything(.stopped)
        transport.stop()
        log.stop()
        keyspace.stop()
        do throws(KeyspaceError) {
            try keyspace.sync()
            try BootMark.markClean(directory: directory.keyspace)
        } catch {
            throw ReplicaFailure(error)
        }
        publishStatus()
    }

    private func end(with failure: ReplicaFailure) {
        self.failure = failure
        failEverything(.stopped)
        transport.stop()
        log.stop()
        keyspace.stop()
        configuration.onFailure(failure)
    }

    private func failEverything(_ error: StoreError) {
        submitFailures(error)
        shared.keyspace.withLock { $0 = nil }
    }
}
