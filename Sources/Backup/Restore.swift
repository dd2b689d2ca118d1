import Basics
package import Keyspace
import Raft

/// Works out the snapshot that a new cluster begins with: a saved one as it is, or what the
/// archive of the log makes of it.
package struct Restore: Sendable {
    /// A snapshot file, or a folder of such files of which the best is taken.
    package var source: String
    /// Folders of archive files.
    package var archives: [String]
    package var goal: RestoreGoal
    /// Revisions to leave out, so that none is used twice.
    package var bumpRevision: Int64 = 0
    package var marksCompacted = false

    package init(source: String, archives: [String], goal: RestoreGoal) {
        self.source = source
        self.archives = archives
        self.goal = goal
    }

    /// What the new cluster begins with.
    package struct Prepared: Sendable {
        /// A file to seed replicas from.
        package var path: String
        package var header: SnapshotHeader
        /// The snapshot file that it was made from.
        package var base: String
        /// Entries of the log that were applied to it.
        package var replayed: UInt64 = 0
        /// Time of the last of them, milliseconds since 1970; 0 when they say nothing of it.
        package var milliseconds: UInt64 = 0
        /// What the person should know.
        package var notes: [String] = []
    }

    /// - Parameter scratch: an empty folder for what is made on the way.
    package func prepare(scratch: String) throws(BackupError) -> Prepared {
        var prepared = try chooseSnapshot()
        if goal == .snapshot, bumpRevision == 0, !marksCompacted { return prepared }
        let directory = scratch + "/keyspace"
        let base = prepared.base
        _ = try Backup.keyspace { () throws(KeyspaceError) in
            try SnapshotFile.restore(base, into: directory)
        }
        let state = try Backup.keyspace { () throws(KeyspaceError) in
            try Keyspace.open(directory: directory)
        }
        defer { state.stop() }
        if goal != .snapshot { try replay(state, &prepared) }
        let (bump, marks) = (bumpRevision, marksCompacted)
        let clusterID = prepared.header.clusterID
        let path = scratch + "/restored.snapshot"
        prepared.header = try Backup.keyspace { () throws(KeyspaceError) in
            try state.bumpRevision(by: bump, markCompacted: marks)
            return try SnapshotFile.save(
                state.snapshot(
                    clusterID: clusterID, createdMilliseconds: WallTime.nowMilliseconds()),
                to: path)
        }
        prepared.path = path
        return prepared
    }

    // MARK: The base

    private func chooseSnapshot() throws(BackupError) -> Prepared {
        guard FolderContent.isFolder(source) else {
            let path = source
            let header = try Backup.keyspace { () throws(KeyspaceError) in
                try SnapshotFile.verify(path)
            }
            if let reason = whyTooLate(header) { throw BackupError("\(path) \(reason)") }
            return Prepared(path: path, header: header, base: path)
        }
        var candidates: [(path: String, header: SnapshotHeader)] = []
        var notes: [String] = []
        for name in try FolderContent.names(source) where name.hasSuffix(".snapshot") {
            let path = source + "/" + name
            do throws(KeyspaceError) {
                let header = try SnapshotFile.header(path)
                if whyTooLate(header) == nil { candidates.append((path, header)) }
            } catch {
                notes.append("passed over: \(error.message)")
            }
        }
        candidates.sort { $0.header.index > $1.header.index }
        for (path, _) in candidates {
            do throws(KeyspaceError) {
                let header = try SnapshotFile.verify(path)
                return Prepared(path: path, header: header, base: path, notes: notes)
            } catch {
                notes.append("passed over: \(error.message)")
            }
        }
        let reasons = notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"
        throw BackupError("\(source) holds no snapshot to begin with\(reasons)")
    }

    /// Why the goal lies before a snapshot; nil if it does not.
    private func whyTooLate(_ header: SnapshotHeader) -> String? {
        switch goal {
        case .revision(let target) where header.revision > target:
            "is of revision \(header.revision), after \(target)"
        case .time(let end) where header.createdMilliseconds > end:
            "was made at \(WallTime.text(milliseconds: header.createdMilliseconds)), after "
                + WallTime.text(milliseconds: end)
        default: nil
        }
    }

    // MARK: The log behind it

    private func replay(_ state: Keyspace, _ prepared: inout Prepared) throws(BackupError) {
        var replay = Replay(state, goal: goal)
        let from = state.appliedIndex
        var files: [ArchiveFile] = []
        for folder in archives {
            guard FolderContent.isFolder(folder) else {
                throw BackupError("\(folder) is no folder")
            }
            files += try ArchiveFile.all(in: folder)
            for name in try ArchiveFile.namesPassedOver(in: folder) {
                prepared.notes.append("passed over: \(folder)/\(name) is not named as an archive")
            }
        }
        files.sort { ($0.first, $0.last) < ($1.first, $1.last) }
        for file in files where file.last > from {
            if replay.isReached { break }
            try replay.take(
                try file.entries(clusterID: prepared.header.clusterID), from: file.path)
        }
        try replay.finish()
        prepared.replayed = state.appliedIndex - from
        prepared.milliseconds = replay.milliseconds
        try check(state, replay, &prepared)
    }

    private func check(
        _ state: Keyspace, _ replay: Replay, _ prepared: inout Prepared
    ) throws(BackupError) {
        let places = archives.joined(separator: ", ")
        switch goal {
        case .revision(let target):
            guard state.revision >= target else {
                throw BackupError(
                    "the archive in \(places) ends at revision \(state.revision), before"
                        + " \(target)")
            }
            if state.revision > target {
                prepared.notes.append(
                    "revision \(target) lies within a commit, which is restored whole: it ends"
                        + " with revision \(state.revision)")
            }
        case .time(let end):
            if let (index, from, to) = replay.setBack {
                prepared.notes.append(
                    "the leader's clock was set back at entry \(index), from"
                        + " \(WallTime.text(milliseconds: from)) to"
                        + " \(WallTime.text(milliseconds: to)): times between came twice, and"
                        + " what came the second time counts as later than all of them")
            }
            guard !replay.isReached else { return }
            let last =
                replay.milliseconds == 0
                ? "the snapshot" : WallTime.text(milliseconds: replay.milliseconds)
            prepared.notes.append(
                "nothing later than \(last) is archived in \(places): whether more was written"
                    + " before \(WallTime.text(milliseconds: end)) it does not say")
        case .snapshot, .everything: break
        }
    }
}
