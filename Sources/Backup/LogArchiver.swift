import Raft
import WriteAheadLog

/// Copies what a replica has applied from its log into archive files.
///
/// It reads the log's files, which the replica goes on writing, and never the replica's memory:
/// so a killed process loses nothing, the next one goes on where the folder ends.
package struct LogArchiver: Sendable {
    package enum Outcome: Sendable, Equatable {
        case upToDate
        case archived(first: UInt64, last: UInt64)
        /// The log begins later than the archive ends: entries were released before they were
        /// archived. A new snapshot has to bridge the gap.
        case gap(after: UInt64, before: UInt64)
    }

    /// Payload of one file, about.
    static let fileBytesMax = 32 << 20

    private let log: String
    private let folder: String
    private let clusterID: UInt64

    package init(log: String, folder: String, clusterID: UInt64) {
        self.log = log
        self.folder = folder
        self.clusterID = clusterID
    }

    /// Archives the entries up to `applied` that are not archived yet.
    ///
    /// - Parameter bridged: a snapshot in the folder reaches to this entry: the archive may go on
    ///   behind it if the log does not reach further back.
    package func catchUp(
        applied: UInt64, bridged: UInt64
    ) throws(BackupError) -> Outcome {
        let done = try ArchiveFile.all(in: folder).map(\.last).max() ?? 0
        guard applied > done else { return .upToDate }
        let entries = try ReplicaLog.scan(log, clusterID: clusterID, behind: done).entries
            .prefix { $0.index <= applied }
        guard let first = entries.first, let last = entries.last else { return .upToDate }
        guard first.index == done + 1 || first.index <= bridged + 1 else {
            return .gap(after: done, before: first.index)
        }
        var rest = entries[...]
        while !rest.isEmpty {
            var bytes = 0
            let part = rest.prefix { entry in
                defer { bytes += entry.payload.count + 32 }
                return bytes < Self.fileBytesMax
            }
            try ArchiveFile.write(part, clusterID: clusterID, folder: folder)
            rest = rest.dropFirst(part.count)
        }
        return .archived(first: first.index, last: last.index)
    }
}
