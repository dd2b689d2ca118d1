package import Keyspace

/// A batch as it came to a watcher.
package struct WatchSighting: Sendable {
    package var batch: WatchBatch
    package var microseconds: UInt64
    /// The newest revision for whose compaction anybody had asked by then.
    package var compactRevision: Int64
    /// The first batch of a stream.
    package var isFirst: Bool

    package init(
        _ batch: WatchBatch, microseconds: UInt64, compactRevision: Int64, isFirst: Bool
    ) {
        self.batch = batch
        self.microseconds = microseconds
        self.compactRevision = compactRevision
        self.isFirst = isFirst
    }
}
