import CLMDB

/// A position in one database. Must not outlive its transaction.
@unsafe package struct Cursor: ~Copyable {
    /// Key and value in the map; valid as `TransactionView` says.
    @unsafe package struct Entry {
        package let key: UnsafeRawBufferPointer
        package let value: UnsafeRawBufferPointer
    }

    private let handle: OpaquePointer

    init(handle: OpaquePointer) {
        unsafe self.handle = handle
    }

    deinit {
        unsafe mdb_cursor_close(handle)
    }

    package func first() throws(LMDBError) -> Entry? { try unsafe move(MDB_FIRST) }
    package func last() throws(LMDBError) -> Entry? { try unsafe move(MDB_LAST) }
    package func next() throws(LMDBError) -> Entry? { try unsafe move(MDB_NEXT) }
    package func previous() throws(LMDBError) -> Entry? { try unsafe move(MDB_PREV) }

    /// The entry under `key`. Cheaper than `TransactionView.get` when it stands near the position.
    package func find(_ key: UnsafeRawBufferPointer) throws(LMDBError) -> Entry? {
        var wanted = unsafe MDB_val(key)
        return unsafe try move(MDB_SET, &wanted)
    }

    /// The first entry whose key is `key` or above it.
    package func seek(atLeast key: UnsafeRawBufferPointer) throws(LMDBError) -> Entry? {
        var wanted = unsafe MDB_val(key)
        return unsafe try move(MDB_SET_RANGE, &wanted)
    }

    /// The last entry whose key is below `key`.
    package func seek(below key: UnsafeRawBufferPointer) throws(LMDBError) -> Entry? {
        var wanted = unsafe MDB_val(key)
        if unsafe try move(MDB_SET_RANGE, &wanted) == nil { return unsafe try last() }
        return unsafe try previous()
    }

    /// Deletes the entry at the position; `next` then goes to the one after it.
    package func delete() throws(LMDBError) {
        try check(unsafe mdb_cursor_del(handle, 0), "delete at cursor")
    }

    private func move(_ operation: MDB_cursor_op) throws(LMDBError) -> Entry? {
        var key = unsafe MDB_val()
        return unsafe try move(operation, &key)
    }

    private func move(
        _ operation: MDB_cursor_op, _ key: inout MDB_val
    ) throws(LMDBError) -> Entry? {
        var value = unsafe MDB_val()
        let result = unsafe mdb_cursor_get(handle, &key, &value, operation)
        if result == MDB_NOTFOUND { return nil }
        try check(result, "move cursor")
        return unsafe Entry(
            key: UnsafeRawBufferPointer(key), value: UnsafeRawBufferPointer(value))
    }
}
