import Basics
import LMDB

/// The keyspace as one transaction sees it: a read transaction, or the writer in the middle of
/// its batch. Everything that reads the tables is an extension of this.
///
/// Must not outlive its transaction; the closures that hand it out see to that.
@safe struct StateView {
    let transaction: TransactionView
    let tables: Tables
    var stored: StoredState

    var state: Keyspace.State { stored.state }

    /// A view for the writer, which knows the state.
    @unsafe init(_ transaction: TransactionView, _ tables: Tables, _ stored: StoredState) {
        unsafe self.transaction = transaction
        self.tables = tables
        self.stored = stored
    }

    /// A view for a reader.
    @unsafe init(_ transaction: TransactionView, _ tables: Tables) throws(KeyspaceError) {
        unsafe self.transaction = transaction
        self.tables = tables
        stored = try unsafe StoredState.withName { name throws(KeyspaceError) in
            let found: UnsafeRawBufferPointer?
            do throws(LMDBError) { unsafe found = try transaction.get(name, in: tables.meta) } catch
            { throw KeyspaceError(error) }
            guard let found = unsafe found else {
                throw KeyspaceError(.corrupt, "table meta, key state: missing")
            }
            return try unsafe StoredState(decoding: found)
        }
    }

    private static func get(
        _ transaction: TransactionView, _ key: Bytes, _ database: Database
    ) throws(KeyspaceError) -> Bytes? {
        unsafe try get(transaction, key, database) { unsafe Bytes($0) }
    }

    private static func get<Value>(
        _ transaction: TransactionView, _ key: Bytes, _ database: Database,
        _ body: (UnsafeRawBufferPointer) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value? {
        unsafe try withRaw(key) { raw throws(KeyspaceError) in
            let found: UnsafeRawBufferPointer?
            do throws(LMDBError) { unsafe found = try transaction.get(raw, in: database) } catch {
                throw KeyspaceError(error)
            }
            guard let found = unsafe found else { return nil }
            return unsafe try body(found)
        }
    }

    /// A copy of what stands under a key of a table.
    func get(_ key: Bytes, in database: Database) throws(KeyspaceError) -> Bytes? {
        unsafe try Self.get(transaction, key, database)
    }

    /// The current state of a key, without its value.
    func current(_ key: Bytes) throws(KeyspaceError) -> IndexEntry? {
        if let entry = try indexed(key) { return entry }
        try checkAbsence(key)
        return nil
    }

    /// The current state of a key; nil if `current` does not have it or does not lead to it.
    func indexed(_ key: Bytes) throws(KeyspaceError) -> IndexEntry? {
        try unsafe KeyName.with(key) { name throws(KeyspaceError) in
            guard let found = unsafe try get(name, in: tables.current) else { return nil }
            return unsafe try IndexEntry.decode(found, under: name, in: .current)
        }
    }

    /// The key that a name stands for.
    func key(ofName name: UnsafeRawBufferPointer) throws(KeyspaceError) -> Bytes {
        guard unsafe KeyName.isLong(name) else { return unsafe KeyName.shortKey(name) }
        return unsafe try LongKeyChunk.key(ofName: name) { tableKey throws(KeyspaceError) in
            try get(tableKey, in: tables.longKeys)
        }
    }

    /// A named blob of the meta table.
    func blob(_ name: String) throws(KeyspaceError) -> Bytes? {
        let key = MetaName.key(name)
        guard let value = try get(key, in: tables.meta) else {
            try checkNeighbours(of: key, in: .meta)
            return nil
        }
        guard let blob = MetaName.open(value, under: key) else {
            throw unsafe withRaw(key) { raw in
                unsafe KeyspaceError(damaged: .meta, raw, "the blob fails its checksum")
            }
        }
        return blob
    }

    func get(
        _ key: UnsafeRawBufferPointer, in database: Database
    ) throws(KeyspaceError) -> UnsafeRawBufferPointer? {
        do { return unsafe try transaction.get(key, in: database) } catch {
            throw KeyspaceError(error)
        }
    }

    func cursor(_ database: Database) throws(KeyspaceError) -> TableCursor {
        do { return unsafe TableCursor(cursor: try transaction.cursor(database)) } catch {
            throw KeyspaceError(error)
        }
    }
}

/// `withUnsafeBytes` for bodies that do not throw.
func withRaw<Value>(_ bytes: Bytes, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
    unsafe bytes.withUnsafeBytes { raw in unsafe body(raw) }
}

/// `withUnsafeBytes` with typed throws.
func withRaw<Value>(
    _ bytes: Bytes, _ body: (UnsafeRawBufferPointer) throws(KeyspaceError) -> Value
) throws(KeyspaceError) -> Value {
    let result = unsafe bytes.withUnsafeBytes { raw -> Result<Value, KeyspaceError> in
        do throws(KeyspaceError) { return .success(unsafe try body(raw)) } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

/// `withUnsafeBytes(of:)` with typed throws.
func withRaw<Value>(
    of key: RecordKey, _ body: (UnsafeRawBufferPointer) throws(KeyspaceError) -> Value
) throws(KeyspaceError) -> Value {
    let result = unsafe withUnsafeBytes(of: key) { raw -> Result<Value, KeyspaceError> in
        do throws(KeyspaceError) { return .success(unsafe try body(raw)) } catch {
            return .failure(error)
        }
    }
    return try result.get()
}
