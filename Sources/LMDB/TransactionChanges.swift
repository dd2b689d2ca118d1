import CLMDB

/// What a write transaction can change. Does not keep its transaction alive.
@unsafe package struct TransactionChanges {
    let handle: OpaquePointer

    package var view: TransactionView { unsafe TransactionView(handle: handle) }

    /// Stores `value`, in place of what was there.
    package func put(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, in database: Database
    ) throws(LMDBError) {
        var key = unsafe MDB_val(key)
        var value = unsafe MDB_val(value)
        try check(unsafe mdb_put(handle, database.identifier, &key, &value, 0), "put")
    }

    /// Makes room for `count` bytes under a key above all others. The caller fills all of them
    /// before the next change. A key that is not above the last one is an error.
    package func append(
        _ key: UnsafeRawBufferPointer, count: Int, in database: Database
    ) throws(LMDBError) -> UnsafeMutableRawBufferPointer {
        var key = unsafe MDB_val(key)
        var value = unsafe MDB_val(mv_size: count, mv_data: nil)
        try check(
            unsafe mdb_put(
                handle, database.identifier, &key, &value, UInt32(MDB_RESERVE | MDB_APPEND)),
            "append")
        return unsafe UnsafeMutableRawBufferPointer(start: value.mv_data, count: count)
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
