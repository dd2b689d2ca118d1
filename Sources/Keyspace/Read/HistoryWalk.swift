import Basics
import LMDB

/// Walks over the names of `history` in a range and their states at a revision, and over
/// `current` beside it, which has to have none that history has not. Must not outlive the view,
/// and nothing may be changed meanwhile.
@safe struct HistoryWalk: ~Copyable {
    struct Step {
        var name: Bytes
        /// Nil of a key that did not exist.
        var state: IndexEntry?
    }

    private let view: StateView
    private let revision: Int64
    private let bound: ScanBound
    private let history: TableCursor
    private let current: TableCursor
    /// The next name of history.
    private var name: Bytes?
    /// The first entry of `current` whose name has not come.
    private var now: Cursor.Entry?

    init(
        _ view: StateView, _ range: KeyRange, at revision: Int64
    ) throws(KeyspaceError) {
        let bound = try ScanBound(range)
        let history = unsafe try view.cursor(view.tables.history)
        let current = unsafe try view.cursor(view.tables.current)
        let low = try unsafe KeyName.withLowerBound(range.start) { raw in unsafe Bytes(raw) }
        let name = unsafe try view.firstName(from: low, history)
        let now = unsafe try view.seek(low, current)
        self.view = view
        self.revision = revision
        self.bound = bound
        unsafe self.history = history
        unsafe self.current = current
        self.name = name
        unsafe self.now = now
    }

    mutating func next() throws(KeyspaceError) -> Step? {
        guard let name, !isPassed(name) else {
            try checkEnd()
            return nil
        }
        let now = try takeNow(name)
        let key = HistoryKey.key(ofName: name, .end(of: revision))
        let change = try unsafe withRaw(key) { raw throws(KeyspaceError) in
            unsafe try view.change(below: raw, history, now: now)
        }
        self.name = unsafe try view.nextName(after: name, history)
        guard let change, !change.isDelete else { return Step(name: name, state: nil) }
        return Step(name: name, state: change)
    }

    private func isPassed(_ name: Bytes) -> Bool {
        unsafe withRaw(name) { raw in unsafe bound.isPassed(by: raw) }
    }

    /// The entry of `current` under a name; those of all names before have been taken.
    private mutating func takeNow(_ name: Bytes) throws(KeyspaceError) -> IndexEntry? {
        guard let found = unsafe now else { return nil }
        let isLater = unsafe withRaw(name) { raw in unsafe sortsBefore(raw, found.key) }
        if isLater { return nil }
        guard unsafe found.key.elementsEqual(name) else { throw unsafe Self.missing(found.key) }
        let entry = unsafe try IndexEntry.decode(found.value, under: found.key, in: .current)
        unsafe now = try current.next(after: found.key)
        return entry
    }

    private func checkEnd() throws(KeyspaceError) {
        guard let found = unsafe now, unsafe !bound.isPassed(by: found.key) else { return }
        throw unsafe Self.missing(found.key)
    }

    private static func missing(_ name: UnsafeRawBufferPointer) -> KeyspaceError {
        unsafe KeyspaceError(damaged: .history, name, "has no change of a key that exists")
    }
}
