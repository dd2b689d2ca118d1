import Basics
package import Keyspace

/// A folder of snapshots taken by the clock, and of archives of the log.
package struct SnapshotFolder: Sendable {
    package typealias Found = (path: String, header: SnapshotHeader)

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
        for (path, header) in Self.oldestFirst(try snapshots()) {
            guard header.clusterID == clusterID else {
                throw BackupError("\(path) is of another cluster: give a folder of its own")
            }
            if header.index >= newest?.index ?? 0 { newest = header }
        }
        return newest
    }

    /// Files that have a header at least.
    private func snapshots() throws(BackupError) -> [Found] {
        var found: [Found] = []
        for name in try FolderContent.names(path) where name.hasSuffix(".snapshot") {
            let file = path + "/" + name
            if let header = try? SnapshotFile.header(file) { found.append((file, header)) }
        }
        return found
    }

    /// While nothing is written, snapshots that reach equally far are taken; then the time counts.
    private static func oldestFirst(_ snapshots: [Found]) -> [Found] {
        snapshots.sorted { left, right in
            (left.header.index, left.header.createdMilliseconds, left.path)
                < (right.header.index, right.header.createdMilliseconds, right.path)
        }
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
        let superfluous = Self.superfluous(
            try snapshots(), try ArchiveFile.all(in: path), keeping: count)
        for file in superfluous { try FolderContent.remove(file) }
    }

    /// The files that go where the newest `count` snapshots stay, one at least: the oldest first.
    package static func superfluous(
        _ snapshots: [Found], _ archives: [ArchiveFile], keeping count: Int
    ) -> [String] {
        let sorted = oldestFirst(snapshots)
        let kept = sorted.suffix(max(1, count))
        guard let oldest = kept.first else { return [] }
        let unneeded = archives.filter { $0.last <= oldest.header.index }
        return sorted.dropLast(kept.count).map { $0.path } + unneeded.map { $0.path }
    }
}
