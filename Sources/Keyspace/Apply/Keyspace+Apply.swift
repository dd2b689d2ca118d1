package import Basics
import LMDB

extension Keyspace {
    /// Applies committed entries in order, in one transaction of the file. Entries up to the
    /// applied index are skipped and answer `none`; a gap is a programming error. After an
    /// error nothing of the batch took effect.
    package func apply(_ batch: [AppliedEntry]) throws(KeyspaceError) -> [CommandResult] {
        if batch.isEmpty { return [] }
        var results: [CommandResult] = []
        results.reserveCapacity(batch.count)
        let loadsPrevious = hub.wantsPrevious
        try change(loadsPrevious: loadsPrevious, batch) { applier throws(KeyspaceError) in
            for entry in batch {
                let applied = applier.stored.state.appliedIndex
                if entry.index <= applied {
                    results.append(.none)
                    continue
                }
                precondition(entry.index == applied + 1, "entry \(entry.index) after \(applied)")
                results.append(try applier.apply(entry))
            }
            // Twice what was written, so that a compaction ends however much is written beside it.
            let written = applier.groups.reduce(0) { $0 + $1.events.count }
            try applier.removeCompacted(
                records: max(options.compactionRecordsPerApply, 2 * written))
        }
        return results
    }

    /// Carries on with removing what is compacted; true while there is more. For idle times:
    /// `apply` does it too.
    @discardableResult
    package func compactStep() throws(KeyspaceError) -> Bool {
        try compactStep(records: options.compactionRecordsPerStep)
    }

    package func compactStep(records: Int) throws(KeyspaceError) -> Bool {
        guard stored.withLock({ $0.isCompacting }) else { return false }
        try change(loadsPrevious: false) { applier throws(KeyspaceError) in
            try applier.removeCompacted(records: records)
        }
        return stored.withLock { $0.isCompacting }
    }

    /// Stores or, with nil, removes a named blob.
    package func setMeta(_ name: String, _ value: Bytes?) throws(KeyspaceError) {
        try change(loadsPrevious: false) { applier throws(KeyspaceError) in
            if let value {
                try applier.putBlob(name, value)
            } else {
                try applier.delete(MetaName.key(name), in: readers.tables.meta)
            }
        }
    }

    /// Runs `body` in a write transaction, commits, and lets the world know.
    ///
    /// - Parameter batch: the entries that `body` applies, for the metrics.
    func change(
        loadsPrevious: Bool, _ batch: [AppliedEntry] = [],
        _ body: (inout Applier) throws(KeyspaceError) -> Void
    ) throws(KeyspaceError) {
        guard let environment = readers.environment else {
            throw KeyspaceError(.inputOutput, "the keyspace is closed")
        }
        let began = MonotonicTime.now()
        let transaction = try lmdb { () throws(LMDBError) in try environment.beginWrite() }
        var applier = unsafe Applier(
            transaction.changes, readers.tables, stored.withLock { $0 },
            loadsPrevious: loadsPrevious, auth: auth)
        try readers.noting { () throws(KeyspaceError) in
            try body(&applier)
            try applier.storeState()
        }
        if applier.auth !== auth { publish(applier.auth) }
        let commitBegan = MonotonicTime.now()
        do throws(LMDBError) { try transaction.commit() } catch { throw KeyspaceError(error) }
        options.metrics.applied(
            batch, applier.groups, began: began, commitBegan: commitBegan, ended: .now())
        let after = applier.stored
        stored.withLock { $0 = after }
        hub.publish(applier.groups, after.state)
        compactionWaiters.reached(after.compactDone)
    }

    /// Before the commit, so that nobody sees data of an entry by rights that ended before it.
    private func publish(_ auth: AuthSnapshot) {
        currentAuth.withLock { $0 = auth }
        hub.take(auth)
    }
}
