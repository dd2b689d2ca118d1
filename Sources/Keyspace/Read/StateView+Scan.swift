import Basics
import LMDB

/// A key with its state but for the value.
struct IndexedKey: Sendable {
    var key: Bytes
    var entry: IndexEntry
}

extension StateView {
    /// What a read at `revision` sees: a revision inside a commit reads as the commit's end.
    func roundedUp(_ revision: Int64) throws(KeyspaceError) -> Int64 {
        if revision >= state.revision { return revision }
        if revision <= stored.compactEnd { return stored.compactEnd }
        let first = RecordPosition(revision: revision, sub: 0)
        guard let record = try record(at: first, withValue: false) else { return revision }
        return record.commitEnd
    }

    /// Visits the keys that exist now, in order, until `visit` answers false. The raw key lies
    /// in the map.
    func scanCurrent(
        _ range: KeyRange,
        _ visit: (UnsafeRawBufferPointer, IndexEntry) throws(KeyspaceError) -> Bool
    ) throws(KeyspaceError) {
        if case .single = range.end {
            guard let entry = try current(range.start) else { return }
            unsafe try withRaw(range.start) { raw throws(KeyspaceError) in
                _ = unsafe try visit(raw, entry)
            }
            return
        }
        let bound: Bytes?
        if case .before(let end) = range.end { bound = end } else { bound = nil }
        let cursor = unsafe try cursor(tables.current)
        var next = unsafe try withRaw(range.start) { raw throws(KeyspaceError) in
            // LMDB does not take an empty key.
            if unsafe raw.isEmpty { return unsafe try cursor.first() }
            return unsafe try cursor.seek(atLeast: raw)
        }
        while let found = unsafe next {
            if let bound, unsafe !Self.isOrderedBefore(found.key, bound) { return }
            let entry = unsafe try IndexEntry.decode(found.value, under: found.key)
            guard unsafe try visit(found.key, entry) else { return }
            unsafe next = try cursor.next()
        }
    }

    /// Visits the keys that existed at `revision`, in order, until `visit` answers false.
    func scanHistory(
        _ range: KeyRange, at revision: Int64,
        _ visit: (Bytes, IndexEntry) throws(KeyspaceError) -> Bool
    ) throws(KeyspaceError) {
        let cursor = unsafe try cursor(tables.history)
        if case .single = range.end {
            let entry = unsafe try latest(range.start, upTo: revision, cursor)
            if let entry, !entry.isDelete { _ = try visit(range.start, entry) }
            return
        }
        var from = range.start
        var skipsFrom = false
        while let key = unsafe try nextKey(from, skipping: skipsFrom, cursor) {
            guard range.contains(key) else { return }
            let entry = unsafe try latest(key, upTo: revision, cursor)
            if let entry, !entry.isDelete {
                guard try visit(key, entry) else { return }
            }
            from = key
            skipsFrom = true
        }
    }

    /// The newest change of a key that is not after `revision`.
    func latest(
        _ key: Bytes, upTo revision: Int64, _ cursor: borrowing TableCursor
    ) throws(KeyspaceError) -> IndexEntry? {
        let bound = RecordPosition(
            revision: revision == Int64.max ? revision : revision + 1, sub: 0)
        return try unsafe HistoryKey.with(key, bound) { raw throws(KeyspaceError) in
            guard let found = unsafe try cursor.seek(below: raw),
                unsafe Self.isSameKey(found.key, raw)
            else { return nil }
            return unsafe try IndexEntry.decode(found.value, under: found.key)
        }
    }

    /// The first key of the history index that is `from` or above; above it if `skipping`.
    private func nextKey(
        _ from: Bytes, skipping: Bool, _ cursor: borrowing TableCursor
    ) throws(KeyspaceError) -> Bytes? {
        if skipping {
            let last = RecordPosition(revision: Int64.max, sub: UInt32.max)
            return try unsafe HistoryKey.with(from, last) { raw throws(KeyspaceError) in
                guard let found = unsafe try cursor.seek(atLeast: raw) else { return nil }
                return unsafe HistoryKey.key(of: found.key)
            }
        }
        return try unsafe HistoryKey.withLowerBound(from) { raw throws(KeyspaceError) in
            let found =
                unsafe raw.isEmpty
                ? try cursor.first() : try cursor.seek(atLeast: raw)
            guard let found = unsafe found else { return nil }
            return unsafe HistoryKey.key(of: found.key)
        }
    }

    private static func isSameKey(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
    ) -> Bool {
        let prefix = left.count - HistoryKey.suffixBytes
        guard left.count == right.count, prefix >= 0 else { return false }
        return unsafe left[..<prefix].elementsEqual(right[..<prefix])
    }

    private static func isOrderedBefore(_ left: UnsafeRawBufferPointer, _ right: Bytes) -> Bool {
        unsafe left.lexicographicallyPrecedes(right)
    }
}
