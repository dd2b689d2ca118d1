import Basics
import LMDB

/// Fills an empty keyspace from a snapshot: records as they are, indexes made anew from them.
struct SnapshotLoader {
    /// Chunks of the record that is being read; nil between records.
    private var open: Int?
    /// What the records and leases make of `StoredState.contentHash`.
    private var contentHash: UInt64 = 0

    static func load(
        _ reader: SnapshotReader, into directory: String, membership: Bytes, isSynced: Bool
    ) throws(KeyspaceError) {
        var settings = Environment.Options()
        settings.isReadOnly = false
        let environment = try lmdb { () throws(LMDBError) in
            try Keyspace.openEnvironment(directory, Keyspace.Options())
        }
        let tables = try create(environment)
        var loader = SnapshotLoader()
        let chunks = SnapshotReadAhead(reader)
        defer { chunks.close() }
        while let entries = try chunks.next() {
            try change(environment, tables, reader.stored) { applier throws(KeyspaceError) in
                for entry in entries { try loader.add(entry, applier) }
            }
        }
        var stored = reader.stored
        // A repair does not know the hash.
        if stored.contentHash == 0 { stored.contentHash = loader.contentHash }
        guard loader.open == nil, loader.contentHash == stored.contentHash else {
            throw KeyspaceError(.badSnapshot, "the records do not have the hash of the state")
        }
        try change(environment, tables, stored) { applier throws(KeyspaceError) in
            try attachLeases(applier)
            if !membership.isEmpty {
                try applier.putBlob(Keyspace.membershipName, membership)
            }
            if !reader.header.auth.isEmpty {
                try applier.putBlob(Keyspace.authName, reader.header.auth)
            }
            // Last of all: without it the directory is no keyspace.
            try applier.storeState()
        }
        guard isSynced else { return }
        try lmdb { () throws(LMDBError) in try environment.sync() }
        try Files.syncDirectory(directory)
    }

    private static func create(_ environment: Environment) throws(KeyspaceError) -> Tables {
        do throws(LMDBError) {
            let transaction = try environment.beginWrite()
            let tables = try Tables(creatingIn: transaction)
            try transaction.commit()
            return tables
        } catch {
            throw KeyspaceError(error)
        }
    }

    private static func change(
        _ environment: Environment, _ tables: Tables, _ stored: StoredState,
        _ body: (Applier) throws(KeyspaceError) -> Void
    ) throws(KeyspaceError) {
        let transaction = try lmdb { () throws(LMDBError) in try environment.beginWrite() }
        try body(unsafe Applier(transaction.changes, tables, stored, loadsPrevious: false))
        do throws(LMDBError) { try transaction.commit() } catch { throw KeyspaceError(error) }
    }

    private mutating func add(
        _ entry: SnapshotReader.Entry, _ applier: Applier
    ) throws(KeyspaceError) {
        guard entry.table == .records else {
            try applier.put(entry.key, entry.value, in: applier.tables.leases)
            return try addLease(entry, applier)
        }
        try applier.appendRaw(entry.key, entry.value)
        let recordKey = unsafe try withRaw(entry.key) { raw throws(KeyspaceError) in
            unsafe RecordKey(raw)
        }
        guard let recordKey else {
            throw KeyspaceError(.badSnapshot, "a record key has the wrong length")
        }
        if recordKey.chunk == 0 {
            guard open == nil else { throw KeyspaceError(.badSnapshot, "a record lacks a chunk") }
            let view = applier.view
            let record = unsafe try withRaw(entry.value) { raw throws(KeyspaceError) in
                unsafe try view.header(raw, recordKey)
            }
            open = RecordHeader.chunks(ofContentBytes: record.contentBytes)
        }
        guard Int(recordKey.chunk) + 1 == open else { return }
        open = nil
        guard let (record, hash) = try applier.view.hashed(at: recordKey.position) else {
            throw KeyspaceError(.badSnapshot, "a record lacks a chunk")
        }
        let isPut = !record.header.isDelete
        let old = try applier.view.current(record.key)
        contentHash &-= old?.recordHash ?? 0
        if isPut { contentHash &+= hash }
        try applier.index(
            IndexEntry(record.position, record.header, hash: hash), record.key, isCurrent: isPut)
    }

    private mutating func addLease(
        _ entry: SnapshotReader.Entry, _ applier: Applier
    ) throws(KeyspaceError) {
        let id = unsafe withRaw(entry.key) { raw in unsafe LeaseEntry.id(of: raw) }
        guard let id, let lease = try applier.view.lease(id) else {
            throw KeyspaceError(.badSnapshot, "a lease id has the wrong length")
        }
        contentHash &+= lease.hash(id: id)
    }

    private static func attachLeases(_ applier: Applier) throws(KeyspaceError) {
        var attached: [(key: Bytes, lease: Int64)] = []
        unsafe try applier.view.scanCurrent(.all) { key, entry in
            if entry.lease != 0 { attached.append((unsafe key.bytes, entry.lease)) }
            return true
        }
        for item in attached { try applier.attach(item.key, to: item.lease) }
    }
}

extension Applier {
    /// Appends a record chunk as it came.
    fileprivate func appendRaw(_ key: Bytes, _ value: Bytes) throws(KeyspaceError) {
        unsafe try withRaw(key) { key throws(KeyspaceError) in
            do throws(LMDBError) {
                let room = unsafe try changes.append(key, count: value.count, in: tables.records)
                unsafe room.copyBytes(from: value)
            } catch {
                throw KeyspaceError(.badSnapshot, "records out of order: \(error)")
            }
        }
    }
}
