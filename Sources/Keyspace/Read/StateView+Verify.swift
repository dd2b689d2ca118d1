import Basics
import LMDB

extension StateView {
    /// Checks what stands on both sides of a key that a table does not have: a search that a
    /// damaged key has misled ends beside it. For tables of which no other one says what they have
    /// to hold.
    func checkNeighbours(
        of key: UnsafeRawBufferPointer, in table: TableName
    ) throws(KeyspaceError) {
        let cursor = unsafe try cursor(tables.database(table))
        let (below, above) = unsafe try cursor.neighbours(of: key)
        if let below = unsafe below { unsafe try verify(below.key, below.value, in: table) }
        guard let above = unsafe above else { return }
        guard unsafe !above.key.elementsEqual(key) else {
            throw unsafe KeyspaceError(damaged: table, key, "a search does not find it")
        }
        unsafe try verify(above.key, above.value, in: table)
    }

    func checkNeighbours(of key: Bytes, in table: TableName) throws(KeyspaceError) {
        try unsafe withRaw(key) { raw throws(KeyspaceError) in
            unsafe try checkNeighbours(of: raw, in: table)
        }
    }

    /// The checks of an entry that need no other one.
    func verify(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, in table: TableName
    ) throws(KeyspaceError) {
        switch table {
        case .records:
            guard let recordKey = unsafe RecordKey(key) else {
                throw unsafe KeyspaceError(damaged: .records, key, "not a record's key")
            }
            guard unsafe isIntact(value, recordKey) else { throw Self.damaged(recordKey) }
        case .current, .history: _ = unsafe try IndexEntry.decode(value, under: key, in: table)
        case .leases:
            guard let id = unsafe LeaseEntry.id(of: key), key.count == 8 else {
                throw unsafe KeyspaceError(damaged: .leases, key, "not a lease id")
            }
            _ = try LeaseEntry(decoding: unsafe Bytes(value), id: id)
        case .leaseKeys: unsafe try verifyLeaseKey(key, value)
        case .longKeys:
            guard LongKeyChunk.decode(unsafe Bytes(value), unsafe Bytes(key)) != nil else {
                throw unsafe KeyspaceError(damaged: .longKeys, key, "the entry fails its checksum")
            }
        case .meta: unsafe try verifyMeta(key, value)
        }
    }

    private func verifyLeaseKey(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(KeyspaceError) {
        guard let id = unsafe LeaseEntry.id(of: key), key.count > 8 else {
            throw unsafe KeyspaceError(damaged: .leaseKeys, key, "not a lease id and a key")
        }
        let name = unsafe UnsafeRawBufferPointer(rebasing: key.dropFirst(8))
        guard unsafe Bytes(value) == LeaseEntry.leaseKey(id, name).value else {
            throw unsafe KeyspaceError(damaged: .leaseKeys, key, "the entry fails its checksum")
        }
    }

    private func verifyMeta(
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
