import CLMDB

/// The one writer. Belongs to the thread that began it; aborted unless it is committed.
@safe package struct WriteTransaction: ~Copyable {
    private let handle: OpaquePointer
    private var isCommitted = false
    /// Ending a transaction touches the environment.
    private let environment: Environment

    @unsafe init(handle: OpaquePointer, _ environment: Environment) {
        unsafe self.handle = handle
        self.environment = environment
    }

    deinit {
        if !isCommitted { unsafe mdb_txn_abort(handle) }
    }

    package var view: TransactionView { unsafe TransactionView(handle: handle) }
    package var changes: TransactionChanges { unsafe TransactionChanges(handle: handle) }

    /// After an error nothing of the transaction was kept.
    package consuming func commit() throws(LMDBError) {
        // LMDB ends the transaction, whatever the result.
        isCommitted = true
        try check(unsafe mdb_txn_commit(handle), "commit to \(environment.path)")
    }

    package func create(_ name: String) throws(LMDBError) -> Database {
        var identifier: MDB_dbi = 0
        try check(
            unsafe mdb_dbi_open(handle, name, UInt32(MDB_CREATE), &identifier),
            "create database \(name)")
        return Database(identifier: identifier)
    }
}
