import Basics
import LMDB

extension StateView {
    func lease(_ id: Int64) throws(KeyspaceError) -> LeaseEntry? {
        guard let bytes = try get(LeaseEntry.key(id), in: tables.leases) else { return nil }
        return try LeaseEntry(decoding: bytes, id: id)
    }

    /// In key order.
    func keys(ofLease id: Int64) throws(KeyspaceError) -> [Bytes] {
        var keys: [Bytes] = []
        let cursor = unsafe try cursor(tables.leaseKeys)
        var next = unsafe try withRaw(LeaseEntry.key(id)) { raw throws(KeyspaceError) in
            unsafe try cursor.seek(atLeast: raw)
        }
        while let found = unsafe next, unsafe LeaseEntry.id(of: found.key) == id {
            let name = unsafe UnsafeRawBufferPointer(rebasing: found.key.dropFirst(8))
            let wanted = unsafe LeaseEntry.leaseKey(id, name).value
            guard unsafe Bytes(found.value) == wanted else {
                throw unsafe KeyspaceError(
                    damaged: .leaseKeys, found.key, "the entry fails its checksum")
            }
            keys.append(unsafe try key(ofName: name))
            unsafe next = try cursor.next()
        }
        // Long keys with a common beginning stand in the order of their hashes.
        return keys.sorted(by: isOrderedBefore)
    }

    /// By id.
    func leases() throws(KeyspaceError) -> [LeaseStatus] {
        var leases: [LeaseStatus] = []
        let cursor = unsafe try cursor(tables.leases)
        var next = unsafe try cursor.first()
        while let found = unsafe next {
            guard let id = unsafe LeaseEntry.id(of: found.key) else {
                throw unsafe KeyspaceError(damaged: .leases, found.key, "not a lease id")
            }
            let entry = try LeaseEntry(decoding: unsafe Bytes(found.value), id: id)
            leases.append(
                LeaseStatus(
                    id: id, grantedTTLSeconds: entry.grantedTTLSeconds,
                    remainingTTLSeconds: entry.remainingTTLSeconds))
            unsafe next = try cursor.next()
        }
        return leases.sorted { $0.id < $1.id }
    }
}
