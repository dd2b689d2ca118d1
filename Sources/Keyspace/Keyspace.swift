import Basics
import LMDB

/// The replicated state: every key with its history, leases, and what watchers follow.
///
/// One thread at a time calls `apply`, `compactStep` and `setMeta`; everything else may be called
/// from any thread at any time, and reads the state after the newest `apply`.
package final class Keyspace: Sendable {
    package struct Options: Sendable {
        /// Address space for the file, and so its largest size.
        package var mapBytes = 1 << 40
        /// Recent events kept in memory for watchers; older ones are read from the file.
        package var recentEventBytesMax = 8 << 20
        /// Records that one `apply` looks at, at least, to carry on with a compaction.
        package var compactionRecordsPerApply = 500
        /// Records that a compaction looks at in one step while nothing is applied.
        package var compactionRecordsPerStep = 4000
        /// Whether watchers that fell behind are served on the caller's thread instead of on
        /// one of their own: for the simulator, which has one thread.
        package var servesHistoryOnCaller = false
        /// Whether crashes of the process count against the file: `CrashCount`.
        package var countsCrashes = false
        /// Called once, on the thread that met it, when something stored turns out to be damaged.
        /// The keyspace has to be rebuilt; until then what is intact can be read.
        package var onDamage: @Sendable (KeyspaceError) -> Void = { _ in }
        /// Counts what the keyspace does.
        package var metrics = KeyspaceMetrics()

        package init() {}
    }

    /// Where the keyspace stands; all four change together, with one `apply`.
    package struct State: Sendable, Hashable {
        package var appliedIndex: UInt64 = 0
        package var appliedTerm: UInt64 = 0
        /// A new store is at revision 1; the first write makes 2.
        package var revision: Int64 = 1
        package var compactRevision: Int64 = 0

        package init() {}
    }

    /// The meta blob that `Command.membership` writes; it is part of snapshots.
    package static let membershipName = "membership"
    /// The blob that `Command.auth` changes; it is part of snapshots.
    package static let authName = "auth"
    /// The blob that says which cluster's state this is.
    package static let clusterName = "cluster"
    /// The file within the directory.
    package static let fileName = "data.mdb"

    let directory: String
    let options: Options
    let readers: ReaderPool
    let hub: WatchHub
    let compactionWaiters: CompactionWaiters
    let pageCounts = PageCounts()
    let stored: Locked<StoredState>
    let currentAuth: Locked<AuthSnapshot>
    private let damageNote: DamageNote
    private let crashCount: CrashCount?

    private init(
        _ directory: String, _ options: Options, _ environment: Environment, _ tables: Tables,
        _ stored: StoredState, _ auth: AuthSnapshot, _ crashCount: CrashCount?
    ) {
        self.crashCount = crashCount
        self.directory = directory
        self.options = options
        damageNote = DamageNote(options.onDamage)
        readers = ReaderPool(environment, tables, damageNote)
        hub = WatchHub(readers, stored.state, options, auth)
        compactionWaiters = CompactionWaiters(reached: stored.compactDone)
        self.stored = Locked(stored)
        currentAuth = Locked(auth)
    }

    deinit {
        stop()
    }

    /// Opens or makes the keyspace in `directory`, which exists.
    package static func open(
        directory: String, options: Options = Options()
    ) throws(KeyspaceError) -> Keyspace {
        try checkFile(in: directory)
        let crashCount = options.countsCrashes ? try CrashCount(directory: directory) : nil
        let environment = try lmdb { () throws(LMDBError) in
            try openEnvironment(directory, options)
        }
        let transaction = try lmdb { () throws(LMDBError) in try environment.beginWrite() }
        let isWhole: Bool
        let tables: Tables
        do throws(LMDBError) {
            isWhole = unsafe try Tables(in: transaction.view) != nil
            tables = try Tables(creatingIn: transaction)
        } catch {
            throw KeyspaceError(error)
        }
        let stored = try load(transaction, tables, isWhole: isWhole)
        let auth = try loadAuth(transaction, tables)
        do throws(LMDBError) { try transaction.commit() } catch { throw KeyspaceError(error) }
        return Keyspace(directory, options, environment, tables, stored, auth, crashCount)
    }

    package var state: State { stored.withLock { $0.state } }
    package var appliedIndex: UInt64 { state.appliedIndex }
    package var appliedTerm: UInt64 { state.appliedTerm }
    package var revision: Int64 { state.revision }
    package var compactRevision: Int64 { state.compactRevision }
    /// Equal on all replicas at equal applied indexes: docs/decisions/0007-running-hashes.md.
    package var hash: UInt64 { stored.withLock { $0.hash } }
    /// Who may do what, as of the newest `apply`.
    package var auth: AuthSnapshot { currentAuth.withLock { $0 } }
    /// The first damage that was met since the keyspace was opened.
    package var damage: KeyspaceError? { damageNote.first }

    /// Size of the file, and the part of it that holds data.
    package func fileUsage() -> (bytes: Int64, bytesInUse: Int64) {
        guard let environment = readers.environment,
            let usage = try? environment.usage(of: readers.tables.all)
        else { return (0, 0) }
        return (usage.fileBytes, usage.bytesInUse)
    }

    /// Forces the file to disk. A failure is fatal (exit 70).
    package func sync() throws(KeyspaceError) {
        guard let environment = readers.environment else {
            throw KeyspaceError(.inputOutput, "the keyspace is closed")
        }
        do throws(LMDBError) { try environment.sync() } catch {
            throw KeyspaceError(.syncFailed, "\(directory)/\(Self.fileName): \(error)")
        }
    }

    /// Ends every watcher with `StoreError.stopped`, and who waits for a compaction, now and from
    /// now on; the rest goes on.
    package func stopWatches() {
        hub.stop()
        compactionWaiters.stop()
    }

    /// Answers once nothing is in the file any more that the compaction to `revision` took.
    package func whenRemoved(
        to revision: Int64, _ done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        compactionWaiters.wait(for: revision, done)
    }

    /// Ends every watcher with `StoreError.stopped`, and every `SnapshotStream` after the frame
    /// that it is at; waits for reads that run, and lets go of the file.
    package func stop() {
        hub.stop()
        compactionWaiters.stop()
        readers.close()
    }
}
