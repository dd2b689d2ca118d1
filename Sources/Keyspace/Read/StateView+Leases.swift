import Basics
import LMDB

extension StateView {
    func lease(_ id: Int64) throws(KeyspaceError) -> LeaseEntry? {
        let key = LeaseEntry.key(id)
        guard let bytes = try get(key, in: tables.leases) else {
            try checkNeighbours(of: key, in: .leases)
            return nil
        }
        return try LeaseEntry(decoding: bytes, id: id)
    }

    /// In key order.
    func keys(ofLease id: Int64) throws(KeyspaceError) -> [Bytes] {
        var keys: [Bytes] = []
        let start = LeaseEntry.key(id)
        try checkNeighbours(of: start, in: .leaseKeys)
        let cursor = unsafe try cursor(tables.leaseKeys)
        var next = unsafe try withRaw(start) { raw throws(KeyspaceError) in
            unsafe try cursor.seek(atLeast: raw)
        }
        while let found = unsafe next {
            // The one behind the last too: it may be another's, or a damaged one.
            unsafe try verify(found.key, found.value, in: .leaseKeys)
            guard unsafe LeaseEntry.id(of: found.key) == id else { break }
            let name = unsafe UnsafeRawBufferPointer(rebasing: found.key.dropFirst(8))
            keys.append(unsafe try key(ofName: name))
            unsafe next = try cursor.next(after: found.key)
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
            unsafe next = try cursor.next(after: found.key)
        }
        return leases.sorted { $0.id < $1.id }
    }
}
