package import Raft
package import WriteAheadLog

/// The log of a replica as its opening would find it; nothing is changed.
package struct ReplicaLog {
    /// nil when the log makes no sense.
    package private(set) var scan: LogScan?
    package private(set) var entries: [Entry] = []
    package private(set) var hardState = HardState()
    package private(set) var mark = SnapshotMark(index: 0, term: 0)
    /// The damaged places that the scan met.
    package private(set) var damage: [LogScan.DamagedPlace] = []

    /// What a scan does about damage.
    package enum DamagePolicy: Sendable {
        case refuse
        /// The entries end before the first damaged place.
        case stop
        /// Every damaged place is named, and the entries are all that can still be read.
        case goOn
    }
    package private(set) var clusterID: UInt64

    /// - Parameter clusterID: the cluster that the log must belong to; nil takes any.
    package static func scan(
        _ directory: String, clusterID: UInt64? = nil, _ policy: DamagePolicy = .refuse,
        behind index: UInt64 = 0
    ) throws(BackupError) -> ReplicaLog {
        var entries: [Entry] = []
        var hardState = HardState()
        var mark = SnapshotMark(index: 0, term: 0)
        let files = DirectoryLogFiles(path: directory, isReadOnly: true)
        var log = ReplicaLog(clusterID: clusterID ?? 0)
        do throws(LogError) {
            let visit = { (record: LogRecord) in
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
                    if entry.index > index { entries.append(entry) }
                }
            }
            let cut = { (last: UInt64) in
                while let entry = entries.last, entry.index > last { entries.removeLast() }
            }
            let scan =
                try policy == .goOn
                ? LogScan.survey(files, clusterID: clusterID, cut: cut, visit: visit)
                : LogScan.scan(files, clusterID: clusterID, behind: index, cut: cut) {
                    record, _, _ in
                    visit(record)
                    return nil
                }
            log.clusterID = scan.clusterID
            log.scan = scan
            log.damage = scan.places
        } catch {
            guard policy != .refuse, error.kind == .corrupt else { throw BackupError(error) }
            log.damage = [
                LogScan.DamagedPlace(error: error, after: entries.last?.index ?? mark.index)
            ]
        }
        log.entries = entries
        log.hardState = hardState
        log.mark = mark
        return log
    }

    private init(clusterID: UInt64) {
        self.clusterID = clusterID
    }
}
