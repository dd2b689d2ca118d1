import Basics
package import Keyspace
import Raft
import WriteAheadLog

/// The state of one replica's directory, saved from its files while it does not run: what
/// `martlet store recover` makes a new cluster of when a majority is gone for good.
package struct Recovery: Sendable {
    package var replica: String
    /// Whether entries that the replica does not know to be committed are left out.
    package var committedOnly: Bool

    package init(replica: String, committedOnly: Bool) {
        self.replica = replica
        self.committedOnly = committedOnly
    }

    package struct Recovered: Sendable {
        /// A snapshot file to seed replicas from.
        package var path: String
        package var header: SnapshotHeader
        /// What it was made from.
        package var base: String
        /// Entries known to be committed, and entries that may or may not have been.
        package var committed: UInt64
        package var uncertain: UInt64
        package var notes: [String]
    }

    /// - Parameter scratch: an empty folder for what is made on the way.
    package func run(scratch: String) throws(BackupError) -> Recovered {
        let log = try ReplicaLog.scan(replica + "/log", .stop)
        let (base, baseText, found) = try saveBase(log, scratch)
        var notes = found
        if let damage = log.damage.first {
            notes.append("\(damage.error): the entries from there on are not used")
        }
        let directory = scratch + "/keyspace"
        let baseHeader = try Backup.keyspace { () throws(KeyspaceError) in
            try SnapshotFile.restore(base, into: directory)
        }
        let state = try Backup.keyspace { () throws(KeyspaceError) in
            try Keyspace.open(directory: directory)
        }
        defer { state.stop() }
        let commit = max(log.hardState.commit, baseHeader.index)
        let limit = committedOnly ? commit : .max
        var replay = Replay(state, goal: .everything)
        try replay.take(
            log.entries.filter { $0.index > state.appliedIndex && $0.index <= limit },
            from: replica + "/log")
        try replay.finish()
        let clusterID = log.clusterID
        let path = scratch + "/recovered.snapshot"
        let header = try Backup.keyspace { () throws(KeyspaceError) in
            try SnapshotFile.save(
                state.snapshot(
                    clusterID: clusterID, createdMilliseconds: WallTime.nowMilliseconds()),
                to: path)
        }
        return Recovered(
            path: path, header: header, base: baseText, committed: min(commit, header.index),
            uncertain: header.index - min(commit, header.index), notes: notes)
    }

    /// The keyspace file if it can be trusted and every record in it is intact, else the newest
    /// snapshot file that is.
    private func saveBase(
        _ log: ReplicaLog, _ scratch: String
    ) throws(BackupError) -> (path: String, text: String, notes: [String]) {
        var notes: [String] = []
        let path = scratch + "/base.snapshot"
        do throws(KeyspaceError) {
            guard let reason = try saveKeyspace(log, to: path) else {
                return (path, replica + "/keyspace", notes)
            }
            notes.append("\(replica)/keyspace \(reason): it is not used")
        } catch {
            notes.append("\(replica)/keyspace is not used: \(error.message)")
        }
        for name in try FolderContent.names(replica + "/snapshots").reversed()
        where name.hasSuffix(".snapshot") {
            let file = "\(replica)/snapshots/\(name)"
            do throws(KeyspaceError) {
                try SnapshotFile.verify(file)
                return (file, file, notes)
            } catch {
                notes.append("\(file) is not used: \(error.message)")
            }
        }
        guard log.entries.first?.index == 1 else {
            throw BackupError(
                "\(replica) holds no state to begin with: \(notes.joined(separator: "; "))")
        }
        // The whole history is in the log: an empty keyspace is the beginning.
        try saveEmpty(log.clusterID, scratch, to: path)
        return (path, replica + "/log alone", notes)
    }

    /// Why the keyspace is of no use; nil when it is saved.
    private func saveKeyspace(
        _ log: ReplicaLog, to path: String
    ) throws(KeyspaceError) -> String? {
        let place = replica + "/keyspace"
        guard FolderContent.exists(place + "/" + Keyspace.fileName) else { return "is missing" }
        guard try BootMark.isTrusted(directory: place) else {
            return "was open when the machine stopped"
        }
        let inspector = try KeyspaceInspector(directory: place)
        let header = try SnapshotFile.save(
            inspector.snapshot(clusterID: log.clusterID), to: path)
        if let first = log.entries.first, first.index > header.index + 1 {
            return "ends before the log begins"
        }
        return nil
    }

    private func saveEmpty(
        _ clusterID: UInt64, _ scratch: String, to path: String
    ) throws(BackupError) {
        let directory = scratch + "/empty"
        try FolderContent.make(directory)
        try Backup.keyspace { () throws(KeyspaceError) in
            let empty = try Keyspace.open(directory: directory)
            defer { empty.stop() }
            try SnapshotFile.save(empty.snapshot(clusterID: clusterID), to: path)
        }
    }
}
