import Basics
import LMDB

extension StateView {
    /// Whether a compare of an etcd transaction holds.
    func holds(_ compare: Compare) throws(KeyspaceError) -> Bool {
        var holds = true
        var isEmpty = true
        unsafe try scanCurrent(compare.range) { _, entry throws(KeyspaceError) in
            isEmpty = false
            holds = try compare.holds(entry, self)
            return holds
        }
        if isEmpty { return compare.holdsForMissing }
        return holds
    }

    /// Whether a guard of a plugin commit holds.
    func holds(_ condition: CommitRequest.Guard) throws(KeyspaceError) -> Bool {
        switch condition {
        case .modRevision(let key, let revision):
            return try (current(key)?.revision ?? 0) == revision
        case .createRevision(let key, let revision):
            return try (current(key)?.createRevision ?? 0) == revision
        case .unchanged(let range, let revision):
            return try isUnchanged(range, since: revision)
        }
    }

    /// Looks at the changes after `revision`, which are few: plugins decide on fresh reads.
    /// What is compacted may have held a change, and so counts as one.
    private func isUnchanged(
        _ range: KeyRange, since revision: Int64
    ) throws(KeyspaceError) -> Bool {
        if revision < state.compactRevision { return false }
        let since = try roundedUp(revision)
        if since >= state.revision { return true }
        if case .single = range.end {
            let change = try change(range.start, at: Int64.max)
            return change.map { $0.revision <= since } ?? true
        }
        let cursor = unsafe try cursor(tables.records)
        let from = RecordKey(RecordPosition(revision: since + 1, sub: 0))
        var next = unsafe try withRaw(of: from) { raw throws(KeyspaceError) in
            unsafe try cursor.seek(atLeast: raw)
        }
        while let found = unsafe next {
            guard let recordKey = unsafe RecordKey(found.key) else {
                throw unsafe KeyspaceError(damaged: .records, found.key, "not a record's key")
            }
            if recordKey.chunk == 0 {
                let record = unsafe try decode(found.value, recordKey, withValue: false)
                if range.contains(record.key) { return false }
            }
            unsafe next = try cursor.next(after: found.key)
        }
        return true
    }
}

extension Compare {
    /// A missing key has version, revisions and lease 0, and satisfies no comparison of values.
    fileprivate var holdsForMissing: Bool {
        switch target {
        case .version(let wanted), .createRevision(let wanted), .modRevision(let wanted),
            .lease(let wanted):
            relation.holds(0, wanted)
        case .value: false
        }
    }

    fileprivate func holds(
        _ entry: IndexEntry, _ view: StateView
    ) throws(KeyspaceError) -> Bool {
        switch target {
        case .version(let wanted): return relation.holds(entry.version, wanted)
        case .createRevision(let wanted): return relation.holds(entry.createRevision, wanted)
        case .modRevision(let wanted): return relation.holds(entry.revision, wanted)
        case .lease(let wanted): return relation.holds(entry.lease, wanted)
        case .value(let wanted):
            let value = try view.value(of: entry)
            switch relation {
            case .equal: return value == wanted
            case .notEqual: return value != wanted
            case .less: return isOrderedBefore(value, wanted)
            case .greater: return isOrderedBefore(wanted, value)
            }
        }
    }
}

extension Compare.Relation {
    fileprivate func holds(_ value: Int64, _ wanted: Int64) -> Bool {
        switch self {
        case .equal: value == wanted
        case .notEqual: value != wanted
        case .less: value < wanted
        case .greater: value > wanted
        }
    }
}
