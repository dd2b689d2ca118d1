import Basics
import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// The world round a simulated replica's core.
final class SimulatedEnvironment: ReplicaEnvironment, @unchecked Sendable {
    // Sendable because a simulation has one thread.

    /// A connection to a member, as the replica sees it.
    struct Link {
        var member: ReplicaMember
        var number: Int
        /// With which the member is invited to take up its id; 0 if it is not.
        var token: UInt64
        var isUp = false
        /// The process at the other end; a connection does not outlive it.
        var epoch = 0
    }

    private unowned let world: Simulation
    private unowned let replica: SimulatedReplica
    let epoch: Int
    let log: WriteAheadLog

    // The log's queue
    var waiting: [LogWork] = []
    var batch: LogBatch?
    var isLogBroken = false
    /// Everything that was to be written is durable.
    var isLogIdle: Bool { waiting.isEmpty && batch == nil }

    private(set) var status = ReplicaStatus()
    private(set) var links: [Link] = []
    private(set) var ownID: UInt64
    /// Not 0 while the replica waits for an invitation.
    private(set) var joinToken: UInt64 = 0
    private(set) var keyspace: Keyspace?
    /// The entry of a peer's snapshot that is to take the place of the keyspace.
    private(set) var installing: UInt64?
    /// A snapshot file being written.
    var saving: SnapshotStream?
    /// Snapshots on their way, by the receiver's number.
    var sending: [(to: Int, transfer: SnapshotTransfer)] = []

    init(
        _ world: Simulation, _ replica: SimulatedReplica, _ log: WriteAheadLog, ownID: UInt64
    ) {
        self.world = world
        self.replica = replica
        self.log = log
        self.ownID = ownID
        epoch = replica.epoch
    }

    // MARK: Log

    func log(_ work: LogWork) {
        guard !isLogBroken else { return }
        if case .write(let write) = work, let first = write.entries.first {
            world.checkWritten(write.entries, replica.issued.term(at: first.index - 1), replica)
        }
        if case .install(let mark) = work { installing = mark.index }
        replica.issued.apply(work)
        waiting.append(work)
        world.startLogBatch(replica)
    }

    // MARK: Peers

    func send(_ messages: [Message]) {
        guard !messages.isEmpty else { return }
        for message in messages { world.checkPromise(message, replica) }
        for link in links where link.isUp {
            let own = messages.filter { $0.to == link.member.id }
            guard !own.isEmpty else { continue }
            for message in own { world.traceMessage(message, from: replica) }
            world.transmit(
                .messages(own.map { $0.encoded() }), from: replica.number, link.number,
                fromMember: ownID, toMember: link.member.id)
        }
    }

    func send(_ requests: [PeerRequest], to peer: UInt64) -> Bool {
        guard let link = links.first(where: { $0.member.id == peer }), link.isUp else {
            return false
        }
        world.transmit(
            .requests(requests), from: replica.number, link.number, fromMember: ownID,
            toMember: peer)
        return true
    }

    func send(_ answers: [PeerAnswer], to peer: UInt64) {
        guard let link = links.first(where: { $0.member.id == peer }), link.isUp else { return }
        world.transmit(
            .answers(answers), from: replica.number, link.number, fromMember: ownID,
            toMember: peer)
    }

    func isUp(_ peer: UInt64) -> Bool {
        links.contains { $0.member.id == peer && $0.isUp }
    }

    func setMembers(_ members: [ReplicaMember], invitations: [Invitation]) {
        let old = links
        links = members.filter { $0.id != ownID }.map { member in
            var link = Link(
                member: member, number: world.number(named: member.name),
                token: invitations.first { $0.memberID == member.id }?.token ?? 0)
            if let same = old.first(where: { $0.member.id == member.id }) {
                link.isUp = same.isUp
                link.epoch = same.epoch
            }
            return link
        }
    }

    func setLink(_ position: Int, isUp: Bool, epoch: Int) {
        links[position].isUp = isUp
        links[position].epoch = epoch
    }

    func setOwnID(_ id: UInt64, joinToken: UInt64) {
        (ownID, self.joinToken) = (id, joinToken)
    }

    // MARK: Reads

    func serve(_ reads: [PendingRead], _ keyspace: Keyspace) {
        for read in reads { world.serve(read, keyspace, replica) }
    }

    // MARK: Snapshots

    func saveSnapshot(of keyspace: Keyspace) { world.saveSnapshot(of: keyspace, replica, self) }

    func sendSnapshot(of keyspace: Keyspace, to member: ReplicaMember, term: UInt64) {
        world.sendSnapshot(of: keyspace, to: member, term: term, replica, self)
    }

    func replaceKeyspace(
        bySnapshot path: String, memberID: UInt64
    ) throws(ReplicaFailure) -> Keyspace {
        world.trace("\(replica.number) installs \(path.suffix(25))")
        installing = nil
        return try replica.directory.replaceKeyspace(
            bySnapshot: path,
            ReplicaIdentity(
                clusterID: Simulation.clusterID, memberID: memberID, isJoining: false),
            options: replica.settings.keyspace)
    }

    func removeSnapshot(_ path: String) throws(ReplicaFailure) { try FileSystem.remove(path) }

    func removeSnapshot(ofEntry index: UInt64) throws(ReplicaFailure) {
        try FileSystem.remove(replica.directory.snapshot(index: index))
        world.checkReach(replica)
    }

    func removeSnapshots(before index: UInt64) throws(ReplicaFailure) {
        try replica.directory.removeSnapshots(before: index)
        world.checkReach(replica)
    }

    // MARK: Directory

    func hasDirectory() -> Bool { FileSystem.exists(replica.directory.identity) }

    func join(as memberID: UInt64) throws(ReplicaFailure) {
        world.trace("\(replica.number) joins as \(memberID)")
        world.checkJoining(replica, as: memberID)
        try replica.directory.write(
            ReplicaIdentity(
                clusterID: Simulation.clusterID, memberID: memberID, isJoining: true))
    }

    func noteDivergence(_ reason: String) throws(ReplicaFailure) {
        world.checkDivergence(replica, reason)
        try replica.directory.noteDivergence(reason)
    }

    func closeCleanly(_ keyspace: Keyspace) throws(ReplicaFailure) {
        try replica.directory.closeCleanly(keyspace)
    }

    func diskSpace() -> DiskSpace? {
        DiskSpace(freeBytes: replica.hasLowDisk ? 0 : 4 << 30, totalBytes: 8 << 30)
    }

    // MARK: Whom it concerns

    func publish(_ status: ReplicaStatus) {
        if status.members != self.status.members { world.checkMembers(status.members) }
        self.status = status
    }

    func publish(_ keyspace: Keyspace?) {
        self.keyspace = keyspace
        replica.process?.mustCompare = true
    }

    func stop() {}

    func refuseInputs(_ error: StoreError) {
        for input in replica.process?.inbox ?? [] {
            switch input {
            case .write(let write): write.done(.failure(error))
            case .read(let read): read.done(.failure(error))
            case .question(let question): question.done(.failure(error))
            default: break
            }
        }
        replica.process?.inbox = []
    }
}
