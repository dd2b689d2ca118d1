import Basics
import LMDB

/// The checks of one entry after the other of a table: checksums, order, and what other tables
/// have to say about it.
struct EntryCheck {
    private let table: TableName
    private let view: StateView
    private var previous = Bytes()

    init(_ table: TableName, _ view: StateView) {
        self.table = table
        self.view = view
    }

    mutating func check(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(KeyspaceError) {
        // A page in the wrong place breaks the order.
        let isOrdered = unsafe previous.lexicographicallyPrecedes(key)
        guard previous.isEmpty || isOrdered else {
            throw unsafe KeyspaceError(damaged: table, key, "out of order")
        }
        unsafe previous = Bytes(key)
        switch table {
        case .records: unsafe try checkRecord(key, value)
        case .current: unsafe try checkCurrent(key, value)
        case .history: unsafe try checkHistory(key, value)
        case .leases: unsafe try checkLease(key, value)
        case .leaseKeys: unsafe try checkLeaseKey(key, value)
        case .longKeys: unsafe try checkLongKey(key, value)
        case .meta: unsafe try checkMeta(key, value)
        }
    }

    private func checkRecord(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(KeyspaceError) {
        guard let recordKey = unsafe RecordKey(key) else {
            throw unsafe KeyspaceError(damaged: .records, key, "not a record's key")
        }
        guard unsafe view.isIntact(value, recordKey) else { throw StateView.damaged(recordKey) }
        let position = recordKey.position
        guard recordKey.chunk == 0 else {
            let first = RecordKey(position)
            let chunk = unsafe try withRaw(of: first) { raw throws(KeyspaceError) in
                unsafe try view.get(raw, in: view.tables.records)
            }
            guard unsafe chunk != nil else {
                throw StateView.damaged(first, "the chunk is missing")
            }
            return
        }
        guard let (record, hash) = try view.hashed(at: position) else {
            throw StateView.damaged(recordKey, "the record is missing")
        }
        let entry = try history(record.key, position)
        guard entry?.recordHash == hash else {
            throw StateView.damaged(recordKey, "history has another record here, or none")
        }
    }

    private func history(
        _ key: Bytes, _ position: RecordPosition
    ) throws(KeyspaceError) -> IndexEntry? {
        try unsafe HistoryKey.with(key, position) { raw throws(KeyspaceError) in
            guard let found = unsafe try view.get(raw, in: view.tables.history) else { return nil }
            return unsafe try IndexEntry.decode(found, under: raw, in: .history)
        }
    }

    private func checkCurrent(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(KeyspaceError) {
        let entry = unsafe try IndexEntry.decode(value, under: key, in: .current)
        let name = unsafe try view.key(ofName: key)
        let cursor = unsafe try view.cursor(view.tables.history)
        let newest = unsafe try view.latest(name, upTo: Int64.max, cursor)
        guard newest?.position == entry.position, newest?.recordHash == entry.recordHash,
            newest?.isDelete == false
        else {
            throw unsafe KeyspaceError(
                damaged: .current, key, "history has another newest change")
        }
    }

    private func checkHistory(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(KeyspaceError) {
        let entry = unsafe try IndexEntry.decode(value, under: key, in: .history)
        guard let name = unsafe HistoryKey.name(of: key),
            unsafe HistoryKey.position(of: key) == entry.position
        else { throw unsafe KeyspaceError(damaged: .history, key, "not a key of history") }
        let storeKey = unsafe try view.key(ofName: name)
        guard try view.record(at: entry.position, withValue: false)?.key == storeKey else {
            throw unsafe KeyspaceError(damaged: .history, key, "the record is missing")
        }
        let current = try view.current(storeKey)
        // A later change stands in `current`, or a later deletion in history.
        if let current, current.position >= entry.position { return }
        if current == nil {
            let cursor = unsafe try view.cursor(view.tables.history)
            let newest = unsafe try view.latest(storeKey, upTo: Int64.max, cursor)
            if newest?.isDelete == true { return }
        }
        throw unsafe KeyspaceError(damaged: .history, key, "newer than the current entry")
    }

    private func checkLease(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(KeyspaceError) {
        guard let id = unsafe LeaseEntry.id(of: key), key.count == 8 else {
            throw unsafe KeyspaceError(damaged: .leases, key, "not a lease id")
        }
        _ = try LeaseEntry(decoding: unsafe Bytes(value), id: id)
    }

    private func checkLeaseKey(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(KeyspaceError) {
        guard let id = unsafe LeaseEntry.id(of: key), key.count > 8 else {
            throw unsafe KeyspaceError(damaged: .leaseKeys, key, "not a lease id and a key")
        }
        let name = unsafe UnsafeRawBufferPointer(rebasing: key.dropFirst(8))
        guard unsafe Bytes(value) == LeaseEntry.leaseKey(id, name).value else {
            throw unsafe KeyspaceError(damaged: .leaseKeys, key, "the entry fails its checksum")
        }
        let storeKey = unsafe try view.key(ofName: name)
        guard try view.lease(id) != nil, try view.current(storeKey)?.lease == id else {
            throw unsafe KeyspaceError(damaged: .leaseKeys, key, "the key is not the lease's")
        }
    }

    private func checkLongKey(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(KeyspaceError) {
        let tableKey = unsafe Bytes(key)
        guard LongKeyChunk.decode(unsafe Bytes(value), tableKey) != nil else {
            throw unsafe KeyspaceError(damaged: .longKeys, key, "the entry fails its checksum")
        }
        let name = unsafe UnsafeRawBufferPointer(rebasing: key.dropLast())
        let storeKey = unsafe try view.key(ofName: name)
        let isOwn = try unsafe KeyName.with(storeKey) { own in
            unsafe own.elementsEqual(name)
        }
        guard isOwn else {
            throw unsafe KeyspaceError(damaged: .longKeys, key, "the key has another name")
        }
    }

    private func checkMeta(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(KeyspaceError) {
        let name = unsafe Bytes(key)
        if name == Bytes(StoredState.name.utf8) {
            _ = try StoredState(decoding: unsafe Bytes(value))
        } else if MetaName.open(unsafe Bytes(value), under: name) == nil {
            throw unsafe KeyspaceError(damaged: .meta, key, "the blob fails its checksum")
        }
    }
}
