import CLMDB

/// What can be read through a transaction: of either kind, and within a write transaction its
/// own changes included.
///
/// A view does not keep its transaction alive. Buffers that it returns lie in the map; they are
/// valid until the transaction ends or is reset, or, in a write transaction, until the next
/// change.
@unsafe package struct TransactionView {
    let handle: OpaquePointer

    package func get(
        _ key: UnsafeRawBufferPointer, in database: Database
    ) throws(LMDBError) -> UnsafeRawBufferPointer? {
        var wanted = unsafe MDB_val(key)
        var found = unsafe MDB_val()
        let result = unsafe mdb_get(handle, database.identifier, &wanted, &found)
        if result == MDB_NOTFOUND { return nil }
        try check(result, "get")
        return unsafe UnsafeRawBufferPointer(found)
    }

    package func cursor(_ database: Database) throws(LMDBError) -> Cursor {
        var opened: OpaquePointer?
        try check(unsafe mdb_cursor_open(handle, database.identifier, &opened), "open cursor")
        guard let cursor = unsafe opened else {
            throw LMDBError(code: MDB_PANIC, operation: "open cursor")
        }
        return unsafe Cursor(handle: cursor)
    }

    /// Opens a database that exists.
    package func open(_ name: String) throws(LMDBError) -> Database? {
        var identifier: MDB_dbi = 0
        let result = unsafe mdb_dbi_open(handle, name, 0, &identifier)
        if result == MDB_NOTFOUND { return nil }
        try check(result, "open database \(name)")
        return Database(identifier: identifier)
    }

    package func statistics(of database: Database) throws(LMDBError) -> DatabaseStatistics {
        var statistics = MDB_stat()
        try check(unsafe mdb_stat(handle, database.identifier, &statistics), "statistics")
        return DatabaseStatistics(
            entries: Int(statistics.ms_entries), depth: Int(statistics.ms_depth),
            pages: statistics.pages)
    }
}

extension MDB_val {
    init(_ buffer: UnsafeRawBufferPointer) {
        unsafe self.init(
            mv_size: buffer.count, mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
    }
}

extension UnsafeRawBufferPointer {
    init(_ value: MDB_val) {
        unsafe self.init(start: value.mv_data, count: value.mv_size)
    }
}
