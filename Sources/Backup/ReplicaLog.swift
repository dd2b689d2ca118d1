package import Raft
package import WriteAheadLog

/// The log of a replica as its opening would find it; nothing is changed.
package struct ReplicaLog {
    /// nil when the log is damaged.
    package private(set) var scan: LogScan?
    package private(set) var entries: [Entry] = []
    package private(set) var hardState = HardState()
    package private(set) var mark = SnapshotMark(index: 0, term: 0)
    /// The first damaged place; the entries end before it.
    package private(set) var damage: LogError?
    package private(set) var clusterID: UInt64

    /// - Parameters:
    ///   - clusterID: the cluster that the log must belong to; nil takes any.
    ///   - goesOn: whether damage is noted instead of thrown.
    package static func scan(
        _ directory: String, clusterID: UInt64? = nil, goesOn: Bool = false
    ) throws(BackupError) -> ReplicaLog {
        var entries: [Entry] = []
        var hardState = HardState()
        var mark = SnapshotMark(index: 0, term: 0)
        let files = DirectoryLogFiles(path: directory, isReadOnly: true)
        var log = ReplicaLog(clusterID: clusterID ?? 0)
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
            log.clusterID = scan.clusterID
            log.scan = scan
        } catch {
            guard goesOn, error.kind == .corrupt else {
                throw BackupError(error, in: directory)
            }
            log.damage = error
        }
        log.entries = entries
        log.hardState = hardState
        log.mark = mark
        return log
    }

    private init(clusterID: UInt64) {
        self.clusterID = clusterID
    }

    package func entries(after index: UInt64) -> [Entry] {
        Array(entries.drop { $0.index <= index })
    }
}
