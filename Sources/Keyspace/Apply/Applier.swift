import Basics
import LMDB

/// Applies commands within one write transaction. What it says took effect only counts once the
/// transaction has committed.
@safe struct Applier {
    let changes: TransactionChanges
    let tables: Tables
    var stored: StoredState
    /// What watchers get after the commit.
    var groups: [EventGroup] = []
    /// Whether a watcher wants previous values; then events carry them from the start.
    let loadsPrevious: Bool
    var auth: AuthSnapshot

    @unsafe init(
        _ changes: TransactionChanges, _ tables: Tables, _ stored: StoredState,
        loadsPrevious: Bool, auth: AuthSnapshot = .initial
    ) {
        unsafe self.changes = changes
        self.tables = tables
        self.stored = stored
        self.loadsPrevious = loadsPrevious
        self.auth = auth
    }

    var revision: Int64 { stored.state.revision }

    /// The state with everything applied so far.
    var view: StateView { unsafe StateView(changes.view, tables, stored) }

    mutating func apply(_ entry: AppliedEntry) throws(KeyspaceError) -> CommandResult {
        stored.state.appliedIndex = entry.index
        stored.state.appliedTerm = entry.term
        return try apply(entry.command)
    }

    mutating func apply(_ command: Command) throws(KeyspaceError) -> CommandResult {
        switch command {
        case .transaction(let request): return .transaction(try apply(request))
        case .commit(let request): return .commit(try apply(request))
        case .compact(let revision): return .revision(try compact(to: revision))
        case .leaseGrant(let id, let ttlSeconds):
            return .lease(try grant(id, ttlSeconds: ttlSeconds))
        case .leaseRevoke(let id): return .revision(try revoke(id))
        case .leaseCheckpoint(let leases):
            for lease in leases { try checkpoint(lease) }
            return .none
        case .membership(let blob):
            try putBlob(Keyspace.membershipName, blob)
            return .none
        case .hashCheck: return .hash(stored.hash)
        case .auth(let change): return .auth(try apply(change))
        case .stamped(let stamp, let command):
            guard let refusal = try refusal(of: command, stamp) else { return try apply(command) }
            return command.refused(refusal)
        case .alarm, .nothing, .hashReport: return .none
        }
    }

    /// Writes the state record; the last change of every transaction.
    func storeState() throws(KeyspaceError) {
        var stored = stored
        if Mutant.isOn(.appliedIndexApart), stored.state.appliedIndex > 0 {
            stored.state.appliedIndex -= 1
        }
        if Mutant.isOn(.revisionFalls), stored.compactDone == stored.state.revision {
            stored.state.revision -= 1
        }
        try put(Bytes(StoredState.name.utf8), stored.encode(), in: tables.meta)
    }

    func putBlob(_ name: String, _ blob: Bytes) throws(KeyspaceError) {
        let key = MetaName.key(name)
        try put(key, MetaName.seal(blob, under: key), in: tables.meta)
    }

    func put(_ key: Bytes, _ value: Bytes, in database: Database) throws(KeyspaceError) {
        unsafe try withRaw(key) { key throws(KeyspaceError) in
            unsafe try withRaw(value) { value throws(KeyspaceError) in
                unsafe try put(key, value, in: database)
            }
        }
    }

    func put(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, in database: Database
    ) throws(KeyspaceError) {
        do throws(LMDBError) { unsafe try changes.put(key, value, in: database) } catch {
            throw KeyspaceError(error)
        }
    }

    @discardableResult
    func delete(
        _ key: UnsafeRawBufferPointer, in database: Database
    ) throws(KeyspaceError) -> Bool {
        do throws(LMDBError) { return unsafe try changes.delete(key, in: database) } catch {
            throw KeyspaceError(error)
        }
    }

    @discardableResult
    func delete(_ key: Bytes, in database: Database) throws(KeyspaceError) -> Bool {
        unsafe try withRaw(key) { raw throws(KeyspaceError) in
            unsafe try delete(raw, in: database)
        }
    }
}

/// Names of blobs in the meta table.
enum MetaName {
    static func key(_ name: String) -> Bytes { Bytes("blob/".utf8) + Bytes(name.utf8) }

    /// The blob behind its checksum.
    static func seal(_ blob: Bytes, under key: Bytes) -> Bytes {
        var writer = ByteWriter(reserving: blob.count + 4)
        writer.writeLittleEndian(
            CRC32C.checksum(blob, continuing: CRC32C.checksum(key)))
        writer.write(blob)
        return writer.bytes
    }

    /// nil when the checksum does not match.
    static func open(_ value: Bytes, under key: Bytes) -> Bytes? {
        guard value.count >= 4 else { return nil }
        let blob = Bytes(value[4...])
        return seal(blob, under: key) == value ? blob : nil
    }
}
