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
        unsafe try view.verify(key, value, in: table)
        switch table {
        case .records: unsafe try checkRecord(key)
        case .current: unsafe try checkCurrent(key, value)
        case .history: unsafe try checkHistory(key, value)
        case .leaseKeys: unsafe try checkLeaseKey(key)
        case .longKeys: unsafe try checkLongKey(key)
        case .leases, .meta: break
        }
    }

    private func checkRecord(_ key: UnsafeRawBufferPointer) throws(KeyspaceError) {
        guard let recordKey = unsafe RecordKey(key) else {
            throw unsafe KeyspaceError(damaged: .records, key, "not a record's key")
        }
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
        // A later change stands in `current`, or a later deletion in history.
        guard let current = try view.current(storeKey), current.position < entry.position else {
            return
        }
        throw unsafe KeyspaceError(damaged: .history, key, "newer than the current entry")
    }

    private func checkLeaseKey(_ key: UnsafeRawBufferPointer) throws(KeyspaceError) {
        guard let id = unsafe LeaseEntry.id(of: key) else { return }
        let name = unsafe UnsafeRawBufferPointer(rebasing: key.dropFirst(8))
        let storeKey = unsafe try view.key(ofName: name)
        guard try view.lease(id) != nil, try view.current(storeKey)?.lease == id else {
            throw unsafe KeyspaceError(damaged: .leaseKeys, key, "the key is not the lease's")
        }
    }

    private func checkLongKey(_ key: UnsafeRawBufferPointer) throws(KeyspaceError) {
        let name = unsafe UnsafeRawBufferPointer(rebasing: key.dropLast())
        let storeKey = unsafe try view.key(ofName: name)
        let isOwn = try unsafe KeyName.with(storeKey) { own in
            unsafe own.elementsEqual(name)
        }
        guard isOwn else {
            throw unsafe KeyspaceError(damaged: .longKeys, key, "the key has another name")
        }
    }
}
