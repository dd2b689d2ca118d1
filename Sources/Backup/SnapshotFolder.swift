import Basics
package import Keyspace

/// A folder of snapshots taken by the clock, and of archives of the log.
package struct SnapshotFolder: Sendable {
    package let path: String

    package init(_ path: String) {
        self.path = path
    }

    package func make() throws(BackupError) {
        try FolderContent.make(path)
    }

    /// The one that reaches furthest; nil if there is none. Files of other clusters are an error:
    /// the folder is another cluster's.
    package func newest(clusterID: UInt64) throws(BackupError) -> SnapshotHeader? {
        var newest: SnapshotHeader?
        for (path, header) in try snapshots() {
            guard header.clusterID == clusterID else {
                throw BackupError("\(path) is of another cluster: give a folder of its own")
            }
            if header.index >= newest?.index ?? 0 { newest = header }
        }
        return newest
    }

    /// Files that have a header at least, oldest first.
    private func snapshots() throws(BackupError) -> [(path: String, header: SnapshotHeader)] {
        var found: [(path: String, header: SnapshotHeader)] = []
        for name in try FolderContent.names(path) where name.hasSuffix(".snapshot") {
            let file = path + "/" + name
            if let header = try? SnapshotFile.header(file) { found.append((file, header)) }
        }
        return found.sorted { $0.header.index < $1.header.index }
    }

    /// Named by time and revision.
    package func save(
        _ keyspace: Keyspace, clusterID: UInt64
    ) throws(BackupError) -> SnapshotHeader {
        let now = WallTime.nowMilliseconds()
        let time = WallTime(milliseconds: now).rfc3339.filter { $0 != "-" && $0 != ":" }
        let folder = path
        return try Backup.keyspace { () throws(KeyspaceError) in
            let stream = try keyspace.snapshot(clusterID: clusterID, createdMilliseconds: now)
            return try SnapshotFile.save(
                stream, to: "\(folder)/\(time)-revision-\(stream.header.revision).snapshot")
        }
    }

    /// Keeps the newest so many, and the archives that a restore from them needs.
    package func retain(_ count: Int) throws(BackupError) {
        let files = try snapshots()
        for old in files.dropLast(max(1, count)) { try FolderContent.remove(old.path) }
        guard let oldest = files.suffix(max(1, count)).first else { return }
        for archive in try ArchiveFile.all(in: path) where archive.last <= oldest.header.index {
            try FolderContent.remove(archive.path)
        }
    }
}
