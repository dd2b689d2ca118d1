import Basics
import Keyspace
import Raft
import WriteAheadLog

/// Snapshot files and transfers under way.
struct SnapshotState {
    var logBytes: UInt64 = 0
    var logBytesAtLast: UInt64 = 0
    var isSaving = false
    /// Peers that a snapshot is on its way to.
    var sending: [UInt64] = []
    /// Files from peers that Raft has been told of, by index.
    var received: [UInt64: (path: String, header: SnapshotHeader)] = [:]
}

extension ReplicaCore {
    /// Takes a snapshot file when the log has grown by enough since the last.
    func logGrew(_ bytes: UInt64) {
        snapshots.logBytes = bytes
        snapshots.logBytesAtLast = min(snapshots.logBytesAtLast, bytes)
        let growth = bytes - snapshots.logBytesAtLast
        guard growth >= configuration.snapshotLogBytes, !snapshots.isSaving, isStateKnown else {
            return
        }
        snapshots.isSaving = true
        snapshots.logBytesAtLast = bytes
        let inbox = shared.inbox
        let keyspace = keyspace
        let clusterID = configuration.clusterID
        let directory = directory
        _ = OSThread.start("snapshot-save") {
            do throws(KeyspaceError) {
                let stream = try keyspace.snapshot(clusterID: clusterID)
                let path = directory.snapshot(index: stream.header.index)
                inbox.sendAlways(.snapshotSaved(.success(try SnapshotFile.save(stream, to: path))))
            } catch {
                inbox.sendAlways(.snapshotSaved(.failure(error)))
            }
        }
    }

    func snapshotSaved(
        _ result: Result<SnapshotHeader, KeyspaceError>
    ) throws(ReplicaFailure) {
        snapshots.isSaving = false
        switch result {
        case .success(let header):
            // A newer one may have come from a peer meanwhile; an older mark does no harm.
            log.add(.snapshot(SnapshotMark(index: header.index, term: header.term)))
            try removeSnapshots(before: header.index)
        case .failure(let error):
            // A full disk must not end the replica: the log is kept, the next growth tries again.
            guard error.code != .noSpace else { return }
            throw ReplicaFailure(error)
        }
    }

    private func removeSnapshots(before index: UInt64) throws(ReplicaFailure) {
        for old in try directory.snapshotIndexes() where old < index {
            try FileSystem.remove(directory.snapshot(index: old))
        }
    }

    func sendSnapshot(to peer: UInt64) {
        guard let member = addressed.member(peer), let raft,
            !snapshots.sending.contains(peer)
        else {
            self.raft?.snapshotSent(to: peer, succeeded: false)
            return
        }
        snapshots.sending.append(peer)
        transport.sendSnapshot(
            of: keyspace, to: member,
            isLearner: cluster.membership.learners.contains(peer), term: raft.term)
    }

    /// A peer streamed us a snapshot, which is checked and in place.
    func snapshotReceived(
        _ from: UInt64, _ term: UInt64, _ path: String, _ header: SnapshotHeader
    ) throws(ReplicaFailure) {
        guard header.clusterID == configuration.clusterID, memberID != 0,
            let members = try? ClusterMembers(decoding: header.membership)
        else { return try FileSystem.remove(path) }
        let meta = SnapshotMeta(
            index: header.index, term: header.term, membership: members.membership)
        snapshots.received[header.index] = (path, header)
        raft?.step(
            Message(from: from, to: memberID, term: term, body: .installSnapshot(meta)))
    }

    /// Puts a peer's snapshot in the place of log and keyspace. Each step can be the last before
    /// a crash: with the mark in the log the next start builds the keyspace from the file.
    func install(_ meta: SnapshotMeta) throws(ReplicaFailure) {
        guard let (path, header) = snapshots.received.removeValue(forKey: meta.index) else {
            preconditionFailure("snapshot \(meta.index) was never received")
        }
        try awaitInstalledMark(meta)
        keyspace.stop()
        shared.keyspace.withLock { $0 = nil }
        do {
            try SnapshotFile.restore(path, into: directory.keyspaceInMaking)
            try FileSystem.removeTree(directory.keyspace)
            try FileSystem.rename(directory.keyspaceInMaking, directory.keyspace)
            try FileSystem.syncDirectory(directory.path)
            cluster = try ClusterMembers(decoding: header.membership)
            try directory.write(
                ReplicaIdentity(
                    clusterID: configuration.clusterID, memberID: memberID, isJoining: false))
            try BootMark.markRunning(directory: directory.keyspace)
            keyspace = try Keyspace.open(directory: directory.keyspace)
        } catch {
            throw ReplicaFailure(wrapping: error)
        }
        raft?.snapshotInstalled(meta)
        memory.begin(applied: meta.index)
        waiting.skipped(through: meta.index)
        transport.setMembers(addressed)
        let keyspace = keyspace
        shared.keyspace.withLock { $0 = keyspace }
        try removeSnapshots(before: meta.index)
    }

    /// The mark goes through the log's thread, behind all that was written before.
    private func awaitInstalledMark(_ meta: SnapshotMeta) throws(ReplicaFailure) {
        let marked = Mailbox<Bool>(limit: 1)
        let mark = SnapshotMark(index: meta.index, term: meta.term, isInstalled: true)
        log.add(.install(mark) { marked.sendAlways($0) })
        guard marked.takeOne() else {
            throw ReplicaFailure(nil, "the log failed while a snapshot was installed")
        }
    }
}
