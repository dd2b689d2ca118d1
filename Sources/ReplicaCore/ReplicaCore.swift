package import Basics
import Keyspace
package import Raft
import WriteAheadLog

/// Owns Raft and the keyspace's writer, and does what Raft says: a replica without its threads,
/// sockets and clock, which `ReplicaEnvironment` stands for. One thread at a time.
///
/// One round (`step`): take everything that came in, feed Raft, then do what its Readys ask for.
/// So whatever came in while the last round ran goes through the log, the network and the
/// keyspace as one batch.
package final class ReplicaCore {
    let settings: ReplicaSettings
    let environment: any ReplicaEnvironment

    /// nil while the replica waits for its replacement.
    package internal(set) var raft: Raft?
    package internal(set) var memberID: UInt64
    var keyspace: Keyspace
    var cluster: ClusterMembers {
        didSet { readdress() }
    }
    /// Client URLs as peers told them on connecting.
    var announced: [UInt64: [String]] = [:]
    /// `cluster` with the addresses of this start.
    private(set) var addressed = ClusterMembers.none
    /// Who dialled and is not among the members that this replica knows.
    var greeters: [ReplicaMember] = []
    /// As leader: who waits for the id of a learner.
    var invitations: [PendingInvitation] = []
    /// Those that went out with the last `connect`.
    var invited: [Invitation] = []
    /// While this replica may take up an id: what an invitation has to name. Else 0.
    var joinToken: UInt64 = 0
    let startedEmpty: Bool

    // What came in this round.
    var newWrites: [PendingWrite] = []
    var newReads: [PendingRead] = []
    var newQuestions: [PendingQuestion] = []

    // What waits for a leader, an answer, or an index.
    var waiting = WaitingWrites()
    var asked: AskedRequests
    var reads: WaitingReads

    var lessor = Lessor(ttlSecondsMin: 1)
    var isLessorActive = false
    var leadership = LeadershipProof()
    /// Keep-alives that are answered once the followers know of them, by lease.
    var renewals: [Int64: [PendingQuestion]] = [:]
    var memberTask: MemberTask?
    var idsMade: UInt64 = 0
    var transfers: [PendingTransfer] = []
    var leavers: [Leaver] = []
    /// A leader that shall stop waits until then for its successor.
    var stopDeadline: MonotonicTime?
    var snapshots = SnapshotState()
    var memory: MemoryWindow
    var recovery = LostTailRecovery()
    var space = SpaceWatch()
    /// What the disk lets the log grow to between snapshots.
    let snapshotLogBytesMax: UInt64
    var hashes = HashChecks()
    /// Set while the state here is not the cluster's.
    var divergence: Divergence?

    /// The time of this round.
    var now: MonotonicTime
    /// Of the newest command that was stamped here, on the wall.
    var stampedMilliseconds: UInt64 = 0
    var ticks: UInt64 = 0
    private var nextTick: MonotonicTime
    /// Up to where the keyspace was at the last tick.
    private var appliedAtTick: UInt64 = 0
    /// Raft has something for us that this round was too full for.
    var hasMore = false
    /// `.stop` came: the caller ends with `stop()`.
    package internal(set) var isStopping = false
    /// Whom this replica followed last, for the metrics.
    var lastLeader: UInt64 = 0
    /// Messages of peers came with the last tick.
    private var isHearing = false

    /// The log of `opened` is the environment's to write.
    package init(
        _ settings: ReplicaSettings, _ opened: OpenedReplica, environment: any ReplicaEnvironment,
        now: MonotonicTime
    ) {
        self.settings = settings
        self.environment = environment
        self.now = now
        asked = AskedRequests(start: now)
        reads = WaitingReads(start: now)
        memory = MemoryWindow(
            bytesMax: settings.entryBytesInMemoryMax, entriesMax: settings.entriesInMemoryMax)
        nextTick = now.advanced(milliseconds: settings.heartbeatMilliseconds)
        snapshotLogBytesMax =
            environment.diskSpace().map { SpaceLimits(totalBytes: $0.totalBytes).snapshotLog }
            ?? .max
        memberID = opened.memberID
        keyspace = opened.keyspace
        cluster = opened.cluster
        startedEmpty = opened.isNew
        if opened.isDivergent { divergence = Divergence() }
        readdress()
        if memberID != 0 { raft = Raft(raftConfiguration(), opened.initial) }
        snapshots.logBytesAtLast = opened.log.usedBytes
        snapshots.markedIndex = opened.initial.snapshotIndex
        if isStateKnown { environment.publish(opened.keyspace) }
        publishStatus()
    }

    /// Whether the keyspace is the cluster's, however old; not so in an empty new member, nor where
    /// it differs from the others'.
    var isStateKnown: Bool { divergence == nil && raft?.isBlank == false }

    /// Ticks of an election timeout, whole ones only.
    private var electionTicks: UInt64 {
        max(2, settings.electionMilliseconds / max(1, settings.heartbeatMilliseconds))
    }

    /// Half of those ticks. Of the ticks that a follower counts the first may come as soon as it
    /// has heard of the leader, and each other one up to a quarter early (`slack`): what is left
    /// over is for clocks that differ. With six ticks that is a quarter of the lease, with four an
    /// eighth, with fewer nothing.
    private var leaseNanoseconds: UInt64 {
        settings.hasReadLeases ? electionTicks * settings.heartbeatMilliseconds * 500_000 : 0
    }

    func raftConfiguration() -> Raft.Configuration {
        Raft.Configuration(
            id: memberID, electionTicksMin: Int(electionTicks), heartbeatTicks: 1,
            inflightMessagesMax: settings.inflightMessagesMax,
            inflightBytesMax: settings.inflightBytesMax,
            messageBytesMax: settings.messageBytesMax,
            uncommittedBytesMax: settings.uncommittedBytesMax, leaseNanoseconds: leaseNanoseconds,
            seed: settings.seed ^ memberID)
    }

    /// Before the first round.
    package func begin() throws(ReplicaFailure) {
        renewJoinToken()
        connect()
        try advanceDivergence()
        // A replica alone has no leader to wait for, but perhaps the lease of one that has left.
        let isAlone = raft?.isOnlyVoter == true && !settings.hasReadLeases
        if isAlone || settings.campaignsAtOnce && startedEmpty { raft?.campaign() }
        try drain()
    }

    /// When the next round is due if nothing comes in before.
    package var nextRound: MonotonicTime {
        hasMore ? now : nextTick.advanced(milliseconds: slack)
    }

    /// A follower's ticks ride on the leader's heartbeats as long as they come, so that an idle
    /// replica wakes up half as often.
    private var slack: UInt64 {
        isHearing && raft?.role == .follower ? settings.heartbeatMilliseconds / 2 : 0
    }

    /// One round: takes in what came, and does all that follows from it.
    ///
    /// - Parameter now: not before the time of the last round.
    package func step(
        _ inputs: [ReplicaInput], now: MonotonicTime
    ) throws(ReplicaFailure) {
        let slack = slack
        self.now = now
        raft?.setClock(now.nanoseconds)
        for input in inputs { try take(input) }
        submit()
        if now.advanced(milliseconds: slack / 2) >= nextTick {
            let late = now.milliseconds(since: nextTick)
            if raft?.role == .leader, late > settings.heartbeatMilliseconds {
                settings.metrics.lateHeartbeats.add()
            }
            try tick()
            isHearing = inputs.contains { input in
                if case .messages = input { true } else { false }
            }
            nextTick = now.advanced(milliseconds: settings.heartbeatMilliseconds)
        }
        try drain()
        if invited != openInvitations { connect() }
        stopIfHandedOver()
        publishStatus()
    }

    private func take(_ input: ReplicaInput) throws(ReplicaFailure) {
        switch input {
        case .write(let write): newWrites.append(write)
        case .read(let read): newReads.append(read)
        case .question(let question): newQuestions.append(question)
        case .messages(let messages):
            for message in messages where message.to == memberID { raft?.step(message) }
        case .peerRequests(let peer, let requests, _): answer(requests, from: peer)
        case .peerAnswers(_, let answers): take(answers)
        case .peerUp(let peer):
            campaignIfFirst()
            if raft?.leader == peer { newWrites = waiting.takeHeld() + newWrites }
        case .peerDown(let peer):
            raft?.unreachable(peer)
            if raft?.leader == peer { raft?.forgetLeader() }
            asked.fail(to: peer, held: &newQuestions)
        case .greeted(let peer): greeted(by: peer)
        case .invited(let peer, let invitation): try invited(by: peer, invitation)
        case .found(let peer, let token): found(peer, waitingWith: token)
        case .snapshotReceived(let from, let term, let path, let header):
            try snapshotReceived(from, term, path, header)
        case .snapshotSent(let peer, let succeeded):
            snapshots.sending.removeAll { $0 == peer }
            raft?.snapshotSent(to: peer, succeeded: succeeded)
        case .snapshotSaved(let result): try snapshotSaved(result)
        case .installMarked(let index): try replaceState(by: index)
        case .persisted(let mark, let logBytes):
            if let mark { raft?.persisted(mark) }
            logGrew(logBytes)
        case .damaged(let error): throw ReplicaFailure(error)
        case .failed(let failure): throw failure
        case .stop: beginStop()
        }
    }

    /// Hands what came in this round to Raft.
    private func submit() {
        submitWrites()
        submitReads()
        submitQuestions()
        if lessor.hasRenewals { expireLeases() }
    }

    private func tick() throws(ReplicaFailure) {
        ticks += 1
        raft?.tick()
        campaignIfFirst()
        expireLeases()
        advanceMembers()
        expireTransfers()
        try dismissLeavers()
        submitWrites()
        advanceRecovery()
        watchSpace()
        try compactWhenIdle()
        askForHashes()
        try advanceDivergence()
        if ticks % 5 == 0 { expireRequests() }
        if ticks % 20 == 0 {
            trimMemory()
            try checkDirectory()
        }
        settings.metrics.slowReadIndexes.add(reads.retry(into: &newReads))
        submitReads()
    }

    /// What is written beside it carries a compaction on; with no writes, ticks do.
    private func compactWhenIdle() throws(ReplicaFailure) {
        let applied = keyspace.appliedIndex
        defer { appliedAtTick = applied }
        guard applied == appliedAtTick else { return }
        do throws(KeyspaceError) { try keyspace.compactStep() } catch {
            throw ReplicaFailure(error)
        }
    }

    /// In a new cluster one replica does not wait for an election timeout.
    private func campaignIfFirst() {
        guard settings.campaignsAtOnce, startedEmpty, let raft, raft.leader == 0,
            raft.lastIndex == 0, raft.role == .follower || raft.role == .preCandidate
        else { return }
        self.raft?.campaign()
    }

    /// A directory that was removed under a running replica: what is written from now on is lost.
    private func checkDirectory() throws(ReplicaFailure) {
        guard memberID != 0, !environment.hasDirectory() else { return }
        throw ReplicaFailure(nil, "\(settings.directory) was removed while in use")
    }

    /// Lends Raft where every round comes by: a copy, as `if let` makes it, counts references to
    /// all that it holds.
    package func withRaft<Failure: Error>(
        _ body: (inout Raft) throws(Failure) -> Void
    ) throws(Failure) {
        try raft?.lend(to: body)
    }

    private func publishStatus() {
        var status = ReplicaStatus()
        status.memberID = memberID
        status.isWaitingForReplacement = memberID == 0
        withRaft { raft in
            status.role = raft.role
            status.leaderID = raft.leader
            status.term = raft.term
            status.commitIndex = raft.commitIndex
            status.appliedIndex = raft.appliedIndex
            status.isLearner = raft.isLearner
        }
        status.members = addressed.members
        status.learners = cluster.membership.learners
        status.logBytes = snapshots.logBytes
        status.alarms = cluster.alarms
        status.isDivergent = divergence != nil
        environment.publish(status)
    }

    /// Gives the members the addresses of this start.
    func readdress() {
        addressed = cluster
        for position in addressed.members.indices { readdress(&addressed.members[position]) }
    }

    func readdress(_ member: inout ReplicaMember) {
        if let known = settings.members.first(where: { $0.name == member.name }) {
            member.peerHost = known.peerHost
            member.peerPort = known.peerPort
            member.clientURLs = known.clientURLs
        }
        if member.clientURLs.isEmpty { member.clientURLs = announced[member.id] ?? [] }
    }

    /// The orderly end: the keyspace file is trusted at the next start.
    package func stop() throws(ReplicaFailure) {
        failEverything(.stopped)
        environment.stop()
        // Before the keyspace lets go of its file, which cannot be synced afterwards.
        if divergence == nil { try environment.closeCleanly(keyspace) }
        keyspace.stop()
        publishStatus()
    }

    /// The end after a failure of a round.
    package func abandon() {
        failEverything(.stopped)
        environment.stop()
        keyspace.stop()
    }

    private func failEverything(_ error: StoreError) {
        submitFailures(error)
        environment.publish(nil)
    }
}

extension Raft {
    fileprivate mutating func lend<Failure: Error>(
        to body: (inout Raft) throws(Failure) -> Void
    ) throws(Failure) {
        try body(&self)
    }
}
