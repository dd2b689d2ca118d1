import Basics

/// Fills a new keyspace with the history of another store: every change at its own revision, with
/// the create revision, version and lease that it had there.
package struct HistoryImport {
    /// Changes of one transaction of the file.
    private static let batchChangesMax = 4_000
    private static let batchBytesMax = 8 << 20

    package typealias Change = SnapshotHistory.Change

    private let keyspace: Keyspace
    private let compactRevision: Int64
    private var batch: [Change] = []
    private var batchBytes = 0
    private var leases: Set<Int64> = []
    private var last = RecordPosition.none
    /// Keys on a lease that the other store does not have: they are kept, without it.
    package private(set) var withoutLease = 0

    /// - Parameters:
    ///   - keyspace: new.
    ///   - compactRevision: 0 if nothing is compacted.
    package init(into keyspace: Keyspace, compactRevision: Int64) {
        precondition(keyspace.revision == 1 && keyspace.appliedIndex == 0, "a new keyspace")
        self.keyspace = keyspace
        self.compactRevision = compactRevision
    }

    /// Leases come before all changes.
    package mutating func add(
        lease id: Int64, grantedTTLSeconds: Int64, remainingTTLSeconds: Int64
    ) throws(KeyspaceError) {
        precondition(last == .none && batch.isEmpty, "leases before changes")
        guard id != 0, grantedTTLSeconds > 0, leases.insert(id).inserted else {
            throw KeyspaceError(.corrupt, "lease \(id) of \(grantedTTLSeconds) s")
        }
        try keyspace.change(loadsPrevious: false) { applier throws(KeyspaceError) in
            let granted = try applier.grant(id, ttlSeconds: grantedTTLSeconds)
            if case .failure(let error) = granted { throw KeyspaceError(.corrupt, error.message) }
            guard remainingTTLSeconds > 0 else { return }
            try applier.checkpoint(
                LeaseRemaining(id: id, remainingSeconds: remainingTTLSeconds))
        }
    }

    /// Users and roles; any time before the end.
    package func set(_ auth: AuthState) throws(KeyspaceError) {
        try keyspace.change(loadsPrevious: false) { applier throws(KeyspaceError) in
            try applier.putBlob(Keyspace.authName, auth.encode())
        }
    }

    /// In the order of positions.
    package mutating func add(_ change: Change) throws(KeyspaceError) {
        let found = change.keyValue
        let position = RecordPosition(revision: found.modRevision, sub: change.sub)
        guard position.revision > 0, last < position else {
            throw damaged(change, "it stands behind revision \(last.revision)")
        }
        last = position
        guard !found.key.isEmpty, found.key.count <= Limits.keyBytesMax else {
            throw damaged(
                change,
                "a key of \(found.key.count) bytes; 1 to \(Limits.keyBytesMax) can be taken over")
        }
        guard found.value.count <= Limits.entryBytesMax / 2 else {
            throw damaged(change, "a value of \(found.value.count) bytes")
        }
        batch.append(change)
        batchBytes += found.key.count + found.value.count
        if batch.count == Self.batchChangesMax || batchBytes >= Self.batchBytesMax {
            try flush()
        }
    }

    /// After the last change; the store goes on behind `revision`.
    package mutating func finish(
        revision: Int64, index: UInt64, term: UInt64
    ) throws(KeyspaceError) {
        try flush()
        let compacted = compactRevision
        try keyspace.change(loadsPrevious: false) { applier throws(KeyspaceError) in
            applier.stored.state.revision = max(revision, compacted, 1)
            applier.stored.state.appliedIndex = index
            applier.stored.state.appliedTerm = term
            if compacted > 0 { _ = try applier.compact(to: compacted) }
        }
        // The other store may not have removed all that it had compacted.
        while try keyspace.compactStep(records: 10_000) {}
    }

    private mutating func flush() throws(KeyspaceError) {
        guard !batch.isEmpty else { return }
        var orphans = 0
        try keyspace.change(loadsPrevious: false) { applier throws(KeyspaceError) in
            for change in batch { if try !write(change, applier: &applier) { orphans += 1 } }
            applier.groups = []
        }
        withoutLease += orphans
        batch = []
        batchBytes = 0
    }

    /// False if the key's lease is not there.
    private func write(
        _ change: Change, applier: inout Applier
    ) throws(KeyspaceError) -> Bool {
        let found = change.keyValue
        let position = RecordPosition(revision: found.modRevision, sub: change.sub)
        let existing = try applier.view.current(found.key)
        applier.stored.state.revision = found.modRevision
        guard !change.isDelete else {
            guard existing != nil || found.modRevision <= compactRevision else {
                throw damaged(change, "it deletes a key that is not there")
            }
            _ = try applier.remove(found.key, at: position, existing)
            return true
        }
        try check(change, over: existing)
        let hasLease = found.lease == 0 || leases.contains(found.lease)
        _ = try applier.write(
            found.key, found.value, lease: hasLease ? found.lease : 0, at: position,
            over: existing, origin: (found.createRevision, found.version))
        return hasLease
    }

    /// Whether a put follows from what stands before it.
    private func check(_ change: Change, over existing: IndexEntry?) throws(KeyspaceError) {
        let found = change.keyValue
        guard found.version > 0, found.createRevision > 0,
            found.createRevision <= found.modRevision
        else {
            throw damaged(
                change, "version \(found.version), created at \(found.createRevision)")
        }
        let isNew = found.version == 1
        guard isNew == (found.createRevision == found.modRevision) else {
            throw damaged(
                change, "version \(found.version), but created at \(found.createRevision)")
        }
        if let existing {
            guard found.version == existing.version + 1,
                found.createRevision == existing.createRevision
            else {
                throw damaged(
                    change,
                    "version \(found.version), created at \(found.createRevision), after version"
                        + " \(existing.version), created at \(existing.createRevision)")
            }
        } else if !isNew, found.modRevision > compactRevision {
            // Of what is compacted the newest put is retained.
            throw damaged(change, "version \(found.version) of a key that is not there")
        }
    }

    private func damaged(_ change: Change, _ reason: String) -> KeyspaceError {
        let found = change.keyValue
        return KeyspaceError(
            .corrupt,
            "revision \(found.modRevision).\(change.sub), key \(found.key.readable): \(reason)")
    }
}
