import Basics
import Keyspace
import WriteAheadLog

extension ReplicaOpening {
    /// Sets a damaged file aside, and builds the state anew from what is here.
    func rebuild(damage: String?) throws(ReplicaFailure) -> State {
        guard let damage else { return try rebuild() }
        try FileSystem.removeTree(directory.damagedKeyspace)
        try FileSystem.rename(directory.keyspace, directory.damagedKeyspace)
        try FileSystem.syncDirectory(directory.path)
        settings.notice(
            "the keyspace file is damaged (\(damage)); it is kept in"
                + " \(directory.damagedKeyspace), and rebuilt from snapshot and log")
        do throws(ReplicaFailure) {
            let state = try rebuild()
            settings.notice(
                "the keyspace is rebuilt up to entry \(state.keyspace.appliedIndex); the log"
                    + " has the entries after it")
            return state
        } catch {
            var failure = error
            failure.description += "; the damage: \(damage)"
            // Set aside already; a further start would find nothing else.
            failure.damage = nil
            throw failure
        }
    }

    /// From the newest snapshot file that is in order and fits the log, or from nothing.
    private func rebuild() throws(ReplicaFailure) -> State {
        do {
            try FileSystem.removeTree(directory.keyspace)
            for index in try directory.snapshotIndexes().reversed() {
                // The log is opened behind a state that is there: what it does about damage of its
                // own rests on that.
                guard let header = try restore(snapshot: index) else { continue }
                let (log, recovered) = try openLog(
                    applied: index, header.term,
                    hasPeers: settings.members.count > 1)
                let fits =
                    recovered.previousIndex == index && recovered.previousTerm == header.term
                guard fits else {
                    log.close()
                    try FileSystem.removeTree(directory.keyspaceInMaking)
                    continue
                }
                try FileSystem.rename(directory.keyspaceInMaking, directory.keyspace)
                try FileSystem.syncDirectory(directory.path)
                return (log, recovered, try openKeyspace())
            }
            let hasPeers = settings.members.count > 1
            var (log, recovered) = try openLog(applied: 0, 0, hasPeers: hasPeers)
            if recovered.previousIndex != 0 {
                let failure = ReplicaFailure(
                    .corrupt,
                    "the keyspace cannot be rebuilt: the log in \(directory.log) begins after entry"
                        + " \(recovered.previousIndex), and no snapshot file reaches it")
                guard hasPeers else { throw failure }
                settings.notice("\(failure): all of it comes from the other replicas")
                try log.restart(behind: 0, term: 0, &recovered)
            }
            return (log, recovered, try openKeyspace())
        } catch {
            throw ReplicaFailure(wrapping: error)
        }
    }

    /// Makes `keyspaceInMaking` of a snapshot file; nil if the file is damaged or not ours.
    private func restore(snapshot index: UInt64) throws -> SnapshotHeader? {
        let file = directory.snapshot(index: index)
        do throws(KeyspaceError) {
            guard try SnapshotFile.header(file).clusterID == settings.clusterID else { return nil }
            // Not synced: after another power cut it is made once more.
            return try SnapshotFile.restore(
                file, into: directory.keyspaceInMaking, isSynced: false)
        } catch {
            guard [.badSnapshot, .foreignFormat, .corrupt].contains(error.code) else { throw error }
            settings.notice("\(file) is passed over: \(error)")
            return nil
        }
    }
}
