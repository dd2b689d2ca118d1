import Basics
import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// The world round a replica's core: its directory, the log's thread, the connections to its peers,
/// the reading threads, and whoever calls `Replica`. Used by the replica's thread only.
final class ReplicaShell: ReplicaEnvironment {
    private let settings: ReplicaSettings
    private let directory: ReplicaDirectory
    private let shared: ReplicaShared
    private let logWriter: LogWriter
    private let transport: PeerTransport
    private let readers: WorkerPool
    private let inPlaceBytesMax: Int64

    init(
        _ configuration: ReplicaConfiguration, directory: ReplicaDirectory, shared: ReplicaShared,
        logWriter: LogWriter, transport: PeerTransport, readers: WorkerPool
    ) {
        settings = configuration.settings
        inPlaceBytesMax = configuration.inPlaceBytesMax
        self.directory = directory
        self.shared = shared
        self.logWriter = logWriter
        self.transport = transport
        self.readers = readers
    }

    func log(_ work: LogWork) { logWriter.add(work) }

    func send(_ messages: [Message]) { transport.send(messages) }

    func send(_ requests: [PeerRequest], to peer: UInt64) -> Bool {
        transport.send(requests, to: peer)
    }

    func send(_ answers: [PeerAnswer], to peer: UInt64) { transport.send(answers, to: peer) }

    func isUp(_ peer: UInt64) -> Bool { transport.isUp(peer) }

    func setMembers(_ members: [ReplicaMember], invitations: [Invitation]) {
        transport.setMembers(members, invitations)
    }

    func setOwnID(_ id: UInt64, joinToken: UInt64) {
        transport.setOwnID(id, joinToken: joinToken)
    }

    /// Waking a thread costs more than a read, and a few threads share them.
    private static let readsAtOnce = 16

    func serve(_ reads: [PendingRead], _ keyspace: Keyspace) {
        var rest: [PendingRead] = []
        var inPlace: [(queue: any WorkQueue, reads: [PendingRead])] = []
        for read in reads {
            guard let queue = read.queue, shared.servesInPlace else {
                rest.append(read)
                continue
            }
            if let position = inPlace.firstIndex(where: { $0.queue === queue }) {
                inPlace[position].reads.append(read)
            } else {
                inPlace.append((queue, [read]))
            }
        }
        for (queue, reads) in inPlace {
            queue.run { for read in reads { read.done(.success(keyspace)) } }
        }
        for start in stride(from: 0, to: rest.count, by: Self.readsAtOnce) {
            let reads = rest[start..<min(start + Self.readsAtOnce, rest.count)]
            if !readers.run({ for read in reads { read.done(.success(keyspace)) } }) {
                for read in reads { read.done(.failure(.tooManyRequests)) }
            }
        }
    }

    func saveSnapshot(of keyspace: Keyspace) {
        let inbox = shared.inbox
        let clusterID = settings.clusterID
        let directory = directory
        let metrics = settings.metrics
        let began = MonotonicTime.now()
        _ = OSThread.start("snapshot-save", .background) {
            do throws(KeyspaceError) {
                let stream = try keyspace.snapshot(clusterID: clusterID)
                let path = directory.snapshot(index: stream.header.index)
                let saved = try SnapshotFile.save(stream, to: path)
                metrics.snapshotSave.observe(from: began, to: .now())
                inbox.sendAlways(.snapshotSaved(.success(saved)))
            } catch {
                inbox.sendAlways(.snapshotSaved(.failure(error)))
            }
        }
    }

    func sendSnapshot(of keyspace: Keyspace, to member: ReplicaMember, term: UInt64) {
        transport.sendSnapshot(of: keyspace, to: member, term: term)
    }

    func replaceKeyspace(
        bySnapshot path: String, memberID: UInt64
    ) throws(ReplicaFailure) -> Keyspace {
        try directory.replaceKeyspace(
            bySnapshot: path,
            ReplicaIdentity(
                clusterID: settings.clusterID, memberID: memberID, isJoining: false),
            options: settings.keyspace)
    }

    func removeSnapshot(_ path: String) throws(ReplicaFailure) {
        try FileSystem.remove(path)
    }

    func removeSnapshot(ofEntry index: UInt64) throws(ReplicaFailure) {
        try FileSystem.remove(directory.snapshot(index: index))
    }

    func removeSnapshots(before index: UInt64) throws(ReplicaFailure) {
        try directory.removeSnapshots(before: index)
    }

    func hasDirectory() -> Bool { FileSystem.exists(directory.identity) }

    func diskSpace() -> DiskSpace? { FileSystem.space(of: directory.path) }

    func join(as memberID: UInt64) throws(ReplicaFailure) {
        try directory.write(
            ReplicaIdentity(clusterID: settings.clusterID, memberID: memberID, isJoining: true))
    }

    func noteDivergence(_ reason: String) throws(ReplicaFailure) {
        try directory.noteDivergence(reason)
    }

    func closeCleanly(_ keyspace: Keyspace) throws(ReplicaFailure) {
        try directory.closeCleanly(keyspace)
    }

    func wallMilliseconds() -> UInt64 { UInt64(max(0, WallTime.now().microseconds / 1000)) }

    func publish(_ status: ReplicaStatus) {
        shared.status.withLock { $0 = status }
        shared.noteFile(inPlaceBytesMax: inPlaceBytesMax)
    }

    func publish(_ keyspace: Keyspace?) { shared.keyspace.withLock { $0 = keyspace } }

    func stop() {
        transport.stop()
        logWriter.stop()
    }

    func refuseInputs(_ error: StoreError) { shared.close(error) }
}
