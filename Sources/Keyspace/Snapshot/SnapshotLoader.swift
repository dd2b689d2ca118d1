import Basics
import LMDB

/// Fills an empty keyspace from a snapshot: records as they are, indexes made anew from them.
enum SnapshotLoader {
    static func load(
        _ reader: SnapshotReader, into directory: String, membership: Bytes
    ) throws(KeyspaceError) {
        var settings = Environment.Options()
        settings.isReadOnly = false
        let environment = try lmdb { () throws(LMDBError) in
            try Keyspace.openEnvironment(directory, Keyspace.Options())
        }
        let tables = try create(environment)
        while let entries = try reader.next() {
            try change(environment, tables, reader.stored) { applier throws(KeyspaceError) in
                for entry in entries { try add(entry, applier) }
            }
        }
        try change(environment, tables, reader.stored) { applier throws(KeyspaceError) in
            try attachLeases(applier)
            if !membership.isEmpty {
                try applier.put(
                    MetaName.key(Keyspace.membershipName), membership, in: tables.meta)
            }
            // Last of all: without it the directory is no keyspace.
            try applier.storeState()
        }
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

    private static func add(
        _ entry: SnapshotReader.Entry, _ applier: Applier
    ) throws(KeyspaceError) {
        guard entry.table == .records else {
            return try applier.put(entry.key, entry.value, in: applier.tables.leases)
        }
        try applier.appendRaw(entry.key, entry.value)
        let recordKey = unsafe try withRaw(entry.key) { raw throws(KeyspaceError) in
            unsafe RecordKey(raw)
        }
        guard let recordKey else {
            throw KeyspaceError(.badSnapshot, "a record key has the wrong length")
        }
        if recordKey.chunk > 0 { return }
        let view = applier.view
        let record = unsafe try withRaw(entry.value) { raw throws(KeyspaceError) in
            unsafe try view.decode(raw, recordKey, withValue: false)
        }
        let isPut = !record.header.isDelete
        try applier.index(
            IndexEntry(record.position, record.header), record.key, isCurrent: isPut)
        if !isPut { try applier.delete(record.key, in: applier.tables.current) }
    }

    private static func attachLeases(_ applier: Applier) throws(KeyspaceError) {
        var attached: [(key: Bytes, lease: Int64)] = []
        unsafe try applier.view.scanCurrent(.all) { raw, entry in
            if entry.lease != 0 { attached.append((unsafe Bytes(raw), entry.lease)) }
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
