import Basics
package import Raft
package import WriteAheadLog

/// One batch of the log's queue: all that waits is written, synced once, and then lets go of what
/// depended on it. While a sync is under way the next batch gathers: that is group commit.
package struct LogBatch {
    private var mark: WriteMark?
    private var installed: [UInt64] = []
    private var newestSnapshot: SnapshotMark?
    private var entryBytes = 0
    /// The rest makes a batch of its own: a disk that is slow must not look like one that takes
    /// nothing.
    package var isFull: Bool { entryBytes >= Self.entryBytesMax }
    private static let entryBytesMax = 4 << 20
    /// Votes and acknowledgements that may leave once the log is synced.
    package private(set) var messages: [Message] = []

    package init() {}

    /// Nothing is durable before `log.sync()`.
    package mutating func write(
        _ work: LogWork, to log: WriteAheadLog
    ) throws(LogError) {
        switch work {
        case .write(let write):
            try log.append(hardState: write.hardState, entries: write.entries)
            mark = write.mark
            entryBytes += write.entries.reduce(0) { $0 + $1.payload.count }
            messages += write.messages
        case .snapshot(let snapshot):
            try log.mark(snapshot)
            newestSnapshot = snapshot
        case .install(let snapshot):
            try log.mark(snapshot)
            newestSnapshot = snapshot
            installed.append(snapshot.index)
        case .shrink:
            try log.shrink()
        case .healed:
            try log.markHealed()
        }
    }

    /// What the core hears once the log is synced.
    package func reports(_ log: WriteAheadLog) -> [ReplicaInput] {
        [.persisted(mark, logBytes: log.usedBytes)] + installed.map { .installMarked($0) }
    }

    /// Entries that a snapshot file covers go, after the reports.
    package func release(_ log: WriteAheadLog) throws(LogError) {
        guard let newestSnapshot else { return }
        let ahead: UInt64 = Mutant.isOn(.logReleasedEarly) ? 1_000 : 1
        try log.release(before: newestSnapshot.index + ahead)
    }
}
