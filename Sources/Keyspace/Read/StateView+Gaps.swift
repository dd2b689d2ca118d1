import Basics
import LMDB

// A damaged key or inner page of a tree hides entries, whose own checksums are never seen then.
// So what a table does not have is believed only when another table agrees: every key of `current`
// has its newest change in `history`, and one damaged page is in one of the two.

extension StateView {
    /// Names that a look into a gap takes, so that many deleted keys do not make it long.
    private static let gapNamesMax = 64

    /// The first entry of a table of names from a lower bound of names on.
    func seek(
        _ low: Bytes, _ cursor: borrowing TableCursor
    ) throws(KeyspaceError) -> Cursor.Entry? {
        // LMDB does not take an empty key.
        if low.isEmpty { return unsafe try cursor.first() }
        return try unsafe withRaw(low) { raw throws(KeyspaceError) in
            unsafe try cursor.seek(atLeast: raw)
        }
    }

    /// Throws if history has a put as the newest change of the key, which `current` does not have.
    func checkAbsence(_ key: Bytes) throws(KeyspaceError) {
        let history = unsafe try cursor(tables.history)
        guard let newest = unsafe try latest(key, upTo: Int64.max, history), !newest.isDelete
        else { return }
        try unsafe KeyName.with(key) { name throws(KeyspaceError) -> Void in
            throw unsafe Self.missing(name, newest)
        }
    }

    /// Throws if a key exists, as history has it, between two names that stand side by side in
    /// `current`.
    ///
    /// - Parameters:
    ///   - low: where the gap begins in history.
    ///   - high: the name behind the gap; nil if there is none.
    func checkGap(
        from low: Bytes, to high: UnsafeRawBufferPointer?, _ bound: ScanBound,
        _ history: borrowing TableCursor
    ) throws(KeyspaceError) {
        var next = unsafe try seek(low, history)
        for _ in 0..<Self.gapNamesMax {
            guard let found = unsafe next else { return }
            guard let name = unsafe HistoryKey.name(of: found.key) else {
                throw unsafe KeyspaceError(damaged: .history, found.key, "not a key of history")
            }
            if unsafe bound.isPassed(by: name) { return }
            if let high = unsafe high, unsafe !sortsBefore(name, high) { return }
            unsafe next = try skipDeleted(name, history)
        }
    }

    /// The entry behind those of a name, which have to end with a deletion.
    private func skipDeleted(
        _ name: UnsafeRawBufferPointer, _ history: borrowing TableCursor
    ) throws(KeyspaceError) -> Cursor.Entry? {
        let end = HistoryKey.end(ofName: unsafe Bytes(name))
        return try unsafe withRaw(end) { raw throws(KeyspaceError) in
            let (below, above) = unsafe try history.neighbours(of: raw)
            let newest = unsafe try entry(below, ofKeyIn: raw)
            if let newest, newest.isDelete { return unsafe above }
            throw unsafe Self.missing(name, newest)
        }
    }

    /// Throws if `current` has a key near a name of which no table knows anything that history
    /// passes over: what hides changes there may hide those of the name too.
    func checkUnknown(_ name: UnsafeRawBufferPointer) throws(KeyspaceError) {
        let history = unsafe try cursor(tables.history)
        let current = unsafe try cursor(tables.current)
        let changes = unsafe try history.neighbours(of: name)
        let keys = unsafe try current.neighbours(of: name)
        if let key = unsafe keys.below?.key {
            let found = unsafe changes.below.flatMap { unsafe HistoryKey.name(of: $0.key) }
            guard let found = unsafe found, unsafe !sortsBefore(found, key) else {
                throw unsafe Self.missing(key, nil)
            }
        }
        if let key = unsafe keys.above?.key {
            let found = unsafe changes.above.flatMap { unsafe HistoryKey.name(of: $0.key) }
            guard let found = unsafe found, unsafe !sortsBefore(key, found) else {
                throw unsafe Self.missing(key, nil)
            }
        }
    }

    private static func missing(
        _ name: UnsafeRawBufferPointer, _ newest: IndexEntry?
    ) -> KeyspaceError {
        guard let newest else {
            return unsafe KeyspaceError(damaged: .history, name, "its newest change is missing")
        }
        return unsafe KeyspaceError(
            damaged: .current, name,
            "missing, though history has it since revision \(newest.revision)")
    }
}
