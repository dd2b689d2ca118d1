import Basics
import Keyspace
import Raft
import WriteAheadLog

/// Snapshot files and transfers under way.
struct SnapshotState {
    var logBytes: UInt64 = 0
    var logBytesAtLast: UInt64 = 0
    /// The growth of the log at which the next is due; nil until it is near.
    var dueGrowth: UInt64?
    var isSaving = false
    /// The log may begin behind this entry.
    var markedIndex: UInt64 = 0
    /// Peers that a snapshot is on its way to.
    var sending: [UInt64] = []
    /// Files from peers that Raft has been told of, by index.
    var received: [UInt64: (path: String, header: SnapshotHeader)] = [:]
    /// Its mark is on the way through the log.
    var installing: Installing?

    struct Installing {
        var meta: SnapshotMeta
        var path: String
        var header: SnapshotHeader
    }
}

extension ReplicaCore {
    /// Takes a snapshot file when the log has grown by enough since the last.
    func logGrew(_ bytes: UInt64) {
        snapshots.logBytes = bytes
        snapshots.logBytesAtLast = min(snapshots.logBytesAtLast, bytes)
        let growth = bytes - snapshots.logBytesAtLast
        guard growth >= min(settings.snapshotLogBytes, snapshotLogBytesMax),
            !snapshots.isSaving, isStateKnown, growth >= dueGrowth()
        else { return }
        beginSnapshot()
    }

    func beginSnapshot() {
        snapshots.isSaving = true
        snapshots.logBytesAtLast = snapshots.logBytes
        snapshots.dueGrowth = nil
        environment.saveSnapshot(of: keyspace)
    }

    /// A snapshot is as much work as there is data. A log of a quarter of it keeps that work, and a
    /// rebuild after a power cut too, in proportion.
    private func dueGrowth() -> UInt64 {
        if let due = snapshots.dueGrowth { return due }
        let data = UInt64(max(0, keyspace.fileUsage().bytesInUse))
        let due = min(max(settings.snapshotLogBytes, data / 4), snapshotLogBytesMax)
        snapshots.dueGrowth = due
        return due
    }

    func snapshotSaved(
        _ result: Result<SnapshotHeader, KeyspaceError>
    ) throws(ReplicaFailure) {
        snapshots.isSaving = false
        if divergence != nil {
            recovery.isSaving = false
            // Of the same entry there may be an earlier one, behind which the log begins: without
            // it a power cut would cost all of that.
            guard case .success(let header) = result, header.index > snapshots.markedIndex else {
                return
            }
            return try environment.removeSnapshot(ofEntry: header.index)
        }
        switch result {
        case .success(let header):
            if recovery.isSaving { (recovery.isSaving, recovery.isSaved) = (false, true) }
            // A newer one may have come from a peer meanwhile; an older mark does no harm.
            environment.log(.snapshot(SnapshotMark(index: header.index, term: header.term)))
            snapshots.markedIndex = max(snapshots.markedIndex, header.index)
            try environment.removeSnapshots(before: header.index)
        case .failure(let error):
            // A full disk must not end the replica: the log is kept, the next growth tries again.
            // Nor does a peer's snapshot that took the state's place while this one was saved.
            guard error.code != .noSpace, error.code != .closed else { return }
            throw ReplicaFailure(error)
        }
    }

    func sendSnapshot(to peer: UInt64) {
        guard let member = addressed.member(peer), let raft, isStateKnown,
            !snapshots.sending.contains(peer)
        else {
            self.raft?.snapshotSent(to: peer, succeeded: false)
            return
        }
        snapshots.sending.append(peer)
        environment.sendSnapshot(of: keyspace, to: member, term: raft.term)
    }

    /// A peer streamed us a snapshot, which is checked and in place.
    func snapshotReceived(
        _ from: UInt64, _ term: UInt64, _ path: String, _ header: SnapshotHeader
    ) throws(ReplicaFailure) {
        guard header.clusterID == settings.clusterID, memberID != 0,
            let members = try? ClusterMembers(decoding: header.membership)
        else { return try environment.removeSnapshot(path) }
        let meta = SnapshotMeta(
            index: header.index, term: header.term, membership: members.membership)
        snapshots.received[header.index] = (path, header)
        raft?.step(
            Message(from: from, to: memberID, term: term, body: .installSnapshot(meta)))
    }

    /// Puts a peer's snapshot in the place of the keyspace and, unless `keepsLog`, of the log:
    /// first the mark in the log, behind all that was written before, then the keyspace. Each step
    /// can be the last before a crash: with the mark in the log the next start builds the keyspace
    /// from the file.
    func install(_ meta: SnapshotMeta, keepsLog: Bool) {
        guard let (path, header) = snapshots.received.removeValue(forKey: meta.index) else {
            preconditionFailure("snapshot \(meta.index) was never received")
        }
        snapshots.installing = SnapshotState.Installing(meta: meta, path: path, header: header)
        snapshots.markedIndex = max(snapshots.markedIndex, meta.index)
        environment.log(
            .install(
                SnapshotMark(index: meta.index, term: meta.term, isInstalled: !keepsLog)))
    }

    /// The mark is durable.
    func replaceState(by index: UInt64) throws(ReplicaFailure) {
        guard let installing = snapshots.installing, installing.meta.index == index else {
            preconditionFailure("the mark of snapshot \(index) was not asked for")
        }
        snapshots.installing = nil
        let meta = installing.meta
        keyspace.stop()
        environment.publish(nil)
        do throws(DecodingFailure) {
            cluster = try ClusterMembers(decoding: installing.header.membership)
        } catch {
            throw ReplicaFailure(wrapping: error)
        }
        keyspace = try environment.replaceKeyspace(
            bySnapshot: installing.path, memberID: memberID)
        raft?.snapshotInstalled(meta)
        if joinToken != 0 { renewJoinToken() }
        memory.begin()
        waiting.skipped(through: meta.index)
        endDivergence(at: meta.index)
        connect()
        environment.publish(keyspace)
        try environment.removeSnapshots(before: meta.index)
    }
}
