import CLMDB

/// The one writer. Belongs to the thread that began it; aborted unless it is committed.
@safe package struct WriteTransaction: ~Copyable {
    private let handle: OpaquePointer

    @unsafe init(handle: OpaquePointer) {
        unsafe self.handle = handle
    }

    deinit {
        unsafe mdb_txn_abort(handle)
    }

    package var view: TransactionView { unsafe TransactionView(handle: handle) }

    /// After an error nothing of the transaction was kept.
    package consuming func commit() throws(LMDBError) {
        let handle = unsafe self.handle
        discard self
        try check(unsafe mdb_txn_commit(handle), "commit")
    }

    package func create(_ name: String) throws(LMDBError) -> Database {
        var identifier: MDB_dbi = 0
        try check(
            unsafe mdb_dbi_open(handle, name, UInt32(MDB_CREATE), &identifier),
            "create database \(name)")
        return Database(identifier: identifier)
    }

    /// Stores `value`, in place of what was there.
    package func put(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, in database: Database
    ) throws(LMDBError) {
        var key = unsafe MDB_val(key)
        var value = unsafe MDB_val(value)
        try check(unsafe mdb_put(handle, database.identifier, &key, &value, 0), "put")
    }

    /// Makes room for `count` bytes under a key above all others, and lets `fill` write all of
    /// them in place. A key that is not above the last one is an error.
    package func append(
        _ key: UnsafeRawBufferPointer, count: Int, in database: Database,
        fill: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(LMDBError) {
        var key = unsafe MDB_val(key)
        var value = unsafe MDB_val(mv_size: count, mv_data: nil)
        try check(
            unsafe mdb_put(
                handle, database.identifier, &key, &value, UInt32(MDB_RESERVE | MDB_APPEND)),
            "append")
        unsafe fill(UnsafeMutableRawBufferPointer(start: value.mv_data, count: count))
    }

    /// Whether there was something to delete.
    @discardableResult
    package func delete(
        _ key: UnsafeRawBufferPointer, in database: Database
    ) throws(LMDBError) -> Bool {
        var key = unsafe MDB_val(key)
        let result = unsafe mdb_del(handle, database.identifier, &key, nil)
        if result == MDB_NOTFOUND { return false }
        try check(result, "delete")
        return true
    }

    /// Deletes every entry of the database.
    package func clear(_ database: Database) throws(LMDBError) {
        try check(unsafe mdb_drop(handle, database.identifier, 0), "clear")
    }
}
