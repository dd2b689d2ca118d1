import Basics
import LMDB

extension StateView {
    /// Visits the keys that existed at `revision`, in order, until `visit` answers false.
    func scanHistory(
        _ range: KeyRange, at revision: Int64,
        _ visit: (Bytes, IndexEntry) throws(KeyspaceError) -> Bool
    ) throws(KeyspaceError) {
        if case .single = range.end {
            guard let entry = try change(range.start, at: revision), !entry.isDelete else { return }
            _ = try visit(range.start, entry)
            return
        }
        var walk = try HistoryWalk(self, range, at: revision)
        var next = try walk.next()
        while let found = next {
            if found.name.count <= KeyName.shortBytesMax {
                if let state = found.state {
                    let key = unsafe withRaw(found.name) { raw in unsafe KeyName.shortKey(raw) }
                    guard try visit(key, state) else { return }
                }
                next = try walk.next()
                continue
            }
            // Long keys whose names stand together do so in the order of their hashes.
            let bucket = Bytes(found.name[..<KeyName.bucketBytes])
            var keys: [IndexedKey] = []
            while let found = next, found.name.hasPrefix(bucket) {
                if let state = found.state {
                    let key = unsafe try withRaw(found.name) { raw throws(KeyspaceError) in
                        unsafe try self.key(ofName: raw)
                    }
                    keys.append(IndexedKey(key: key, entry: state))
                }
                next = try walk.next()
            }
            keys.sort { isOrderedBefore($0.key, $1.key) }
            for item in keys where range.contains(item.key) {
                guard try visit(item.key, item.entry) else { return }
            }
        }
    }

    /// The newest change of a key that is not after `revision`, as history alone has it.
    func latest(
        _ key: Bytes, upTo revision: Int64, _ history: borrowing TableCursor
    ) throws(KeyspaceError) -> IndexEntry? {
        try unsafe HistoryKey.with(key, .end(of: revision)) { raw throws(KeyspaceError) in
            unsafe try changes(about: raw, history).before
        }
    }

    /// The newest change of a key that is not after `revision`, which has to be retained.
    func change(_ key: Bytes, at revision: Int64) throws(KeyspaceError) -> IndexEntry? {
        let history = unsafe try cursor(tables.history)
        let now = try indexed(key)
        return try unsafe HistoryKey.with(key, .end(of: revision)) { raw throws(KeyspaceError) in
            unsafe try change(below: raw, history, now: now)
        }
    }

    /// The same below a key of history, for a key that is `now` in `current`: that, or the change
    /// that comes next, says what has to stand there.
    func change(
        below bound: UnsafeRawBufferPointer, _ history: borrowing TableCursor, now: IndexEntry?
    ) throws(KeyspaceError) -> IndexEntry? {
        let (before, after) = unsafe try changes(about: bound, history)
        let state = before.flatMap { $0.isDelete ? nil : $0 }
        let isWhole: Bool
        if let after {
            isWhole = try isNext(after, to: state)
        } else if before == nil, now == nil, let name = unsafe HistoryKey.name(of: bound) {
            unsafe try checkUnknown(name)
            isWhole = true
        } else {
            isWhole = state?.position == now?.position && state?.recordHash == now?.recordHash
        }
        guard isWhole else {
            throw unsafe KeyspaceError(damaged: .history, bound, "a change of the key is missing")
        }
        return before
    }

    /// Whether a change was made to this state, nil of a key that did not exist. That state is
    /// retained, since reads are refused where a compaction may have removed it.
    private func isNext(
        _ change: IndexEntry, to state: IndexEntry?
    ) throws(KeyspaceError) -> Bool {
        guard change.isDelete else { return change.version == (state?.version ?? 0) + 1 }
        guard let record = try record(at: change.position, withValue: false) else { return false }
        return record.header.previous == (state?.position ?? RecordPosition.none)
    }

    /// The changes of a key on both sides of a key of history. What stands there is verified
    /// whoever's it is: a search that a damaged key has misled ends beside it.
    private func changes(
        about bound: UnsafeRawBufferPointer, _ history: borrowing TableCursor
    ) throws(KeyspaceError) -> (before: IndexEntry?, after: IndexEntry?) {
        let (below, above) = unsafe try history.neighbours(of: bound)
        let before = unsafe try entry(below, ofKeyIn: bound)
        let after = unsafe try entry(above, ofKeyIn: bound)
        return (before, after)
    }

    /// An entry of history, verified; nil if it is another key's than `bound` is.
    func entry(
        _ found: Cursor.Entry?, ofKeyIn bound: UnsafeRawBufferPointer
    ) throws(KeyspaceError) -> IndexEntry? {
        guard let found = unsafe found else { return nil }
        let entry = unsafe try IndexEntry.decode(found.value, under: found.key, in: .history)
        return unsafe Self.isSameKey(found.key, bound) ? entry : nil
    }

    /// The first name of history from a lower bound of names on.
    func firstName(
        from low: Bytes, _ history: borrowing TableCursor
    ) throws(KeyspaceError) -> Bytes? {
        if low.isEmpty { return unsafe try verifiedName(history.first()) }
        return try unsafe withRaw(low) { raw throws(KeyspaceError) in
            let (below, above) = unsafe try history.neighbours(of: raw)
            _ = unsafe try verifiedName(below)
            return unsafe try verifiedName(above)
        }
    }

    func nextName(
        after name: Bytes, _ history: borrowing TableCursor
    ) throws(KeyspaceError) -> Bytes? {
        let end = HistoryKey.end(ofName: name)
        return try unsafe withRaw(end) { raw throws(KeyspaceError) in
            let (below, above) = unsafe try history.neighbours(of: raw)
            guard unsafe try entry(below, ofKeyIn: raw) != nil else {
                throw unsafe KeyspaceError(damaged: .history, raw, "the key's changes are missing")
            }
            return unsafe try verifiedName(above)
        }
    }

    private func verifiedName(_ found: Cursor.Entry?) throws(KeyspaceError) -> Bytes? {
        guard let found = unsafe found else { return nil }
        guard let name = unsafe HistoryKey.name(of: found.key) else {
            throw unsafe KeyspaceError(damaged: .history, found.key, "not a key of history")
        }
        _ = unsafe try IndexEntry.decode(found.value, under: found.key, in: .history)
        return unsafe Bytes(name)
    }

    private static func isSameKey(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
    ) -> Bool {
        let prefix = left.count - HistoryKey.suffixBytes
        guard left.count == right.count, prefix >= 0 else { return false }
        return unsafe left[..<prefix].elementsEqual(right[..<prefix])
    }
}
