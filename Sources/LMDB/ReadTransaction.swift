import CLMDB

/// A snapshot of the environment. Any thread may use it, one at a time.
///
/// While it is open, and not reset, pages that it can see are not reused: keep it short.
@safe package struct ReadTransaction: ~Copyable, @unchecked Sendable {
    private let handle: OpaquePointer
    private var isEnded = false
    /// Ending a transaction touches the environment's reader table.
    private var environment: Environment?

    @unsafe init(handle: OpaquePointer, _ environment: Environment) {
        unsafe self.handle = handle
        self.environment = environment
    }

    deinit {
        if !isEnded { unsafe mdb_txn_abort(handle) }
    }

    /// Ends it and lets go of the environment. Nothing may be read any more.
    package mutating func end() {
        guard !isEnded else { return }
        isEnded = true
        unsafe mdb_txn_abort(handle)
        environment = nil
    }

    package var view: TransactionView { unsafe TransactionView(handle: handle) }

    /// Lets go of the snapshot, and keeps the reader slot.
    package func reset() {
        unsafe mdb_txn_reset(handle)
    }

    /// Takes the newest snapshot after `reset`.
    package func renew() throws(LMDBError) {
        try check(unsafe mdb_txn_renew(handle), "renew read")
    }

    /// Ends the transaction and keeps the databases that it opened open.
    package consuming func keepDatabases() throws(LMDBError) {
        isEnded = true
        try check(unsafe mdb_txn_commit(handle), "end read")
    }
}
