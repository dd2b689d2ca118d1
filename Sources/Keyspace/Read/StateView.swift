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
        guard
            let bytes = unsafe try Self.get(transaction, Bytes(StoredState.name.utf8), tables.meta)
        else { throw KeyspaceError(.corrupt, "keyspace without its state record") }
        stored = try StoredState(decoding: bytes)
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
        unsafe try withRaw(key) { raw throws(KeyspaceError) in
            guard let found = unsafe try get(raw, in: tables.current) else { return nil }
            return unsafe try IndexEntry.decode(found, under: raw)
        }
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
