package import Basics
import LMDB

/// The replicated state: every key with its history, leases, and what watchers follow.
///
/// One thread at a time calls `apply` and `compactStep`; everything else may be called from any
/// thread at any time, and reads the state after the newest `apply`.
package final class Keyspace: Sendable {
    package struct Options: Sendable {
        /// Address space for the file, and so its largest size.
        package var mapBytes = 1 << 40
        /// Recent events kept in memory for watchers; older ones are read from the file.
        package var recentEventBytesMax = 8 << 20
        /// Records that one `apply` looks at to carry on with a compaction.
        package var compactionRecordsPerApply = 500
        /// Whether watchers that fell behind are served on the caller's thread instead of on
        /// one of their own: for the simulator, which has one thread.
        package var servesHistoryOnCaller = false
        package var isReadOnly = false

        package init() {}
    }

    /// Where the keyspace stands; all four change together, with one `apply`.
    package struct State: Sendable, Hashable {
        package var appliedIndex: UInt64 = 0
        package var appliedTerm: UInt64 = 0
        /// A new store is at revision 1; the first write makes 2.
        package var revision: Int64 = 1
        package var compactRevision: Int64 = 0
    }

    /// The meta blob that `Command.membership` writes; it is part of snapshots.
    package static let membershipName = "membership"

    /// Opens or makes the keyspace in `directory`, which exists.
    package static func open(
        directory: String, options: Options = Options()
    ) throws(KeyspaceError) -> Keyspace {
        fatalError()
    }

    /// Applies committed entries in order, in one transaction of the file. Entries up to the
    /// applied index are skipped and answer `none`; a gap is a programming error. After an
    /// error nothing of the batch took effect.
    package func apply(_ batch: [AppliedEntry]) throws(KeyspaceError) -> [CommandResult] {
        fatalError()
    }

    /// Carries on with removing what is compacted; true while there is more. For idle times:
    /// `apply` does it too.
    package func compactStep(records: Int) throws(KeyspaceError) -> Bool { fatalError() }

    package var state: State { fatalError() }
    package var appliedIndex: UInt64 { state.appliedIndex }
    package var appliedTerm: UInt64 { state.appliedTerm }
    package var revision: Int64 { state.revision }
    package var compactRevision: Int64 { state.compactRevision }

    /// Size of the file, and the part of it that holds data.
    package func fileUsage() -> (bytes: Int64, bytesInUse: Int64) { fatalError() }

    package func range(_ request: RangeRequest) -> Result<RangeResponse, StoreError> {
        fatalError()
    }

    /// Makes a watcher. Errors come from its first `next`.
    package func watch(_ request: WatchRequest) -> KeyspaceWatch { fatalError() }

    /// Ids and times to live of all leases, by id; `remainingTTLSeconds` is the last checkpoint,
    /// or the granted time when there was none. Clocks are the `Lessor`'s business.
    package func leases() -> Result<[LeaseStatus], StoreError> { fatalError() }

    /// One lease, with its keys if asked for.
    package func lease(_ id: Int64, keys: Bool) -> Result<LeaseStatus, StoreError> {
        fatalError()
    }

    /// A small named blob that is not part of the replicated state (membership apart).
    package func meta(_ name: String) throws(KeyspaceError) -> Bytes? { fatalError() }

    /// Stores or, with nil, removes a named blob. Called from the thread that applies.
    package func setMeta(_ name: String, _ value: Bytes?) throws(KeyspaceError) { fatalError() }

    /// Forces the file to disk. A failure is fatal (exit 70).
    package func sync() throws(KeyspaceError) { fatalError() }

    /// Ends every watcher with `StoreError.stopped`.
    package func stop() { fatalError() }

    /// A consistent copy of the state as it is now, to be pulled frame by frame; does not hold
    /// up `apply`. Pages that it can see are not reused until it ends.
    package func snapshot(clusterID: UInt64) throws(KeyspaceError) -> SnapshotStream {
        fatalError()
    }
}
