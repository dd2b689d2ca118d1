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
        var next = unsafe try walk.next()
        while let found = unsafe next {
            if unsafe !KeyName.isLong(found.name) {
                if let state = unsafe found.state {
                    guard unsafe try visit(KeyName.shortKey(found.name), state) else { return }
                }
                unsafe next = try walk.next()
                continue
            }
            // Long keys whose names stand together do so in the order of their hashes.
            let bucket = unsafe Bytes(found.name[..<KeyName.bucketBytes])
            var keys: [IndexedKey] = []
            while let found = unsafe next, unsafe found.name.starts(with: bucket) {
                if let state = unsafe found.state {
                    keys.append(
                        IndexedKey(key: unsafe try key(ofName: found.name), entry: state))
                }
                unsafe next = try walk.next()
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
        if before == nil, after == nil, now == nil, let name = unsafe HistoryKey.name(of: bound) {
            unsafe try checkUnknown(name)
        } else {
            unsafe try check(before, after, now: now, at: bound)
        }
        return before
    }

    /// Throws unless what comes behind a change of a key, in history or as what is `now`, was made
    /// to what it left.
    func check(
        _ before: IndexEntry?, _ after: IndexEntry?, now: IndexEntry?,
        at place: UnsafeRawBufferPointer
    ) throws(KeyspaceError) {
        let state = before.flatMap { $0.isDelete ? nil : $0 }
        let isWhole: Bool
        if let after {
            isWhole = try isNext(after, to: state)
        } else {
            isWhole = state?.position == now?.position && state?.recordHash == now?.recordHash
        }
        guard isWhole else {
            throw unsafe KeyspaceError(damaged: .history, place, "a change of the key is missing")
        }
    }

    /// Whether a change was made to this state, nil of a key that did not exist. That state is
    /// retained, since reads are refused where a compaction may have removed it.
    private func isNext(
        _ change: IndexEntry, to state: IndexEntry?
    ) throws(KeyspaceError) -> Bool {
        // Wraps for a version that no write has reached.
        guard change.isDelete else { return change.version == (state?.version ?? 0) &+ 1 }
        guard let record = try record(at: change.position, withValue: false) else { return false }
        return record.header.previous == (state?.position ?? RecordPosition.none)
    }

    /// The changes of a key on both sides of a key of history. What stands there is verified
    /// whoever's it is: a search that a damaged key has misled ends beside it.
    func changes(
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

    /// The first change in history from a lower bound of names on; the cursor stands there then.
    func firstChange(
        from low: Bytes, _ history: borrowing TableCursor
    ) throws(KeyspaceError) -> Cursor.Entry? {
        guard !low.isEmpty else { return unsafe try history.first() }
        return try unsafe withRaw(low) { raw throws(KeyspaceError) in
            let (below, _) = unsafe try history.neighbours(of: raw)
            if let below = unsafe below {
                _ = unsafe try IndexEntry.decode(below.value, under: below.key, in: .history)
            }
            return unsafe try history.seek(atLeast: raw)
        }
    }

    /// The first change behind those of a name.
    func firstChange(
        behind name: Bytes, _ history: borrowing TableCursor
    ) throws(KeyspaceError) -> Cursor.Entry? {
        try unsafe withRaw(HistoryKey.end(ofName: name)) { raw throws(KeyspaceError) in
            let (below, _) = unsafe try history.neighbours(of: raw)
            guard unsafe try entry(below, ofKeyIn: raw) != nil else {
                throw unsafe KeyspaceError(damaged: .history, raw, "the key's changes are missing")
            }
            return unsafe try history.seek(atLeast: raw)
        }
    }

    private static func isSameKey(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
    ) -> Bool {
        let prefix = left.count - HistoryKey.suffixBytes
        guard left.count == right.count, prefix >= 0 else { return false }
        return unsafe left[..<prefix].elementsEqual(right[..<prefix])
    }
}
