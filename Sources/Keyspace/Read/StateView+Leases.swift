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
            keys.append(unsafe Bytes(found.key.dropFirst(8)))
            unsafe next = try cursor.next()
        }
        return keys
    }

    /// By id.
    func leases() throws(KeyspaceError) -> [LeaseStatus] {
        var leases: [LeaseStatus] = []
        let cursor = unsafe try cursor(tables.leases)
        var next = unsafe try cursor.first()
        while let found = unsafe next {
            guard let id = unsafe LeaseEntry.id(of: found.key) else {
                throw KeyspaceError(.corrupt, "a lease id has the wrong length")
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
