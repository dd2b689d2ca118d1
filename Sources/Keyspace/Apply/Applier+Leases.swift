import Basics

extension Applier {
    mutating func grant(
        _ id: Int64, ttlSeconds: Int64
    ) throws(KeyspaceError) -> Result<LeaseStatus, StoreError> {
        if id == 0 { return .failure(.leaseNotFound) }
        if ttlSeconds > LeaseEntry.ttlSecondsMax { return .failure(.leaseTTLTooLarge) }
        if try view.lease(id) != nil { return .failure(.leaseExists) }
        let granted = max(1, ttlSeconds)
        let entry = LeaseEntry(grantedTTLSeconds: granted, remainingTTLSeconds: granted)
        try put(LeaseEntry.key(id), entry.encode(id: id), in: tables.leases)
        stored.contentHash &+= entry.hash(id: id)
        return .success(
            LeaseStatus(id: id, grantedTTLSeconds: granted, remainingTTLSeconds: granted))
    }

    /// Deletes the lease's keys on one revision, in key order, and the lease.
    mutating func revoke(_ id: Int64) throws(KeyspaceError) -> Result<Int64, StoreError> {
        guard let lease = try view.lease(id) else { return .failure(.leaseNotFound) }
        var events: [Event] = []
        for key in try view.keys(ofLease: id) {
            guard let existing = try view.current(key), existing.lease == id else {
                throw unsafe withRaw(LeaseEntry.key(id)) { raw in
                    unsafe KeyspaceError(
                        damaged: .leaseKeys, raw, "\(key.readable) is not the lease's")
                }
            }
            let position = RecordPosition(revision: revision + 1, sub: UInt32(events.count))
            events.append(try remove(key, at: position, existing))
        }
        try delete(LeaseEntry.key(id), in: tables.leases)
        stored.contentHash &-= lease.hash(id: id)
        if !events.isEmpty {
            stored.state.revision += 1
            groups.append(
                EventGroup(
                    first: revision, last: revision, events: events, hasPrevious: loadsPrevious))
        }
        return .success(revision)
    }

    mutating func checkpoint(_ remaining: LeaseRemaining) throws(KeyspaceError) {
        guard var entry = try view.lease(remaining.id) else { return }
        stored.contentHash &-= entry.hash(id: remaining.id)
        entry.remainingTTLSeconds = min(
            max(remaining.remainingSeconds, 1), entry.grantedTTLSeconds)
        try put(
            LeaseEntry.key(remaining.id), entry.encode(id: remaining.id), in: tables.leases)
        stored.contentHash &+= entry.hash(id: remaining.id)
    }

    func attach(_ key: Bytes, to lease: Int64) throws(KeyspaceError) {
        let (tableKey, value) = try unsafe KeyName.with(key) { name in
            unsafe LeaseEntry.leaseKey(lease, name)
        }
        try put(tableKey, value, in: tables.leaseKeys)
    }

    func detach(_ key: Bytes, from lease: Int64) throws(KeyspaceError) {
        let tableKey = try unsafe KeyName.with(key) { name in
            unsafe LeaseEntry.leaseKey(lease, name).key
        }
        try delete(tableKey, in: tables.leaseKeys)
    }
}
