package import Raft
package import WriteAheadLog

/// The log of a replica as its opening would find it; nothing is changed.
package struct ReplicaLog {
    package private(set) var scan: LogScan
    package private(set) var entries: [Entry] = []
    package private(set) var hardState = HardState()
    package private(set) var mark = SnapshotMark(index: 0, term: 0)

    private init(_ scan: LogScan) {
        self.scan = scan
    }

    /// - Parameter clusterID: the cluster that the log must belong to; nil takes any.
    package static func scan(
        _ directory: String, clusterID: UInt64? = nil
    ) throws(BackupError) -> ReplicaLog {
        var entries: [Entry] = []
        var hardState = HardState()
        var mark = SnapshotMark(index: 0, term: 0)
        let files = DirectoryLogFiles(path: directory, isReadOnly: true)
        do throws(LogError) {
            let scan = try LogScan.scan(files, clusterID: clusterID) { record, _, _ in
                switch record {
                case .hardState(let state): hardState = state
                case .snapshot(let new):
                    mark = new
                    if new.isInstalled { entries = [] }
                case .lost: break
                case .entry(let entry):
                    // An entry replaces what stood at its index and behind it.
                    while let last = entries.last, last.index >= entry.index {
                        entries.removeLast()
                    }
                    entries.append(entry)
                }
                return nil
            }
            var log = ReplicaLog(scan)
            log.entries = entries
            log.hardState = hardState
            log.mark = mark
            return log
        } catch {
            throw BackupError(error, in: directory)
        }
    }

    package func entries(after index: UInt64) -> [Entry] {
        Array(entries.drop { $0.index <= index })
    }
}
