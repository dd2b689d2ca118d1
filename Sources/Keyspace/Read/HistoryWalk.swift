import Basics
import LMDB

/// Walks over the names of `history` in a range and their states at a revision, and over
/// `current` beside it, which has to have none that history has not. Must not outlive the view,
/// and nothing may be changed meanwhile.
@safe struct HistoryWalk: ~Copyable {
    @unsafe struct Step {
        var name: UnsafeRawBufferPointer
        /// Nil of a key that did not exist.
        var state: IndexEntry?
    }

    /// The changes of one name and those on both sides of the revision.
    private typealias Sides = (before: IndexEntry?, after: IndexEntry?)

    /// Changes of a name that are passed one by one; most keys have few. Behind them a search is
    /// cheaper.
    private static let stepsMax = 16

    private let view: StateView
    private let revision: Int64
    private let bound: ScanBound
    private let history: TableCursor
    private let current: TableCursor
    /// The first change of the next name, where the cursor of history stands.
    private var found: Cursor.Entry?
    /// The first entry of `current` whose name has not come.
    private var now: Cursor.Entry?

    init(
        _ view: StateView, _ range: KeyRange, at revision: Int64
    ) throws(KeyspaceError) {
        let bound = try ScanBound(range)
        let history = unsafe try view.cursor(view.tables.history)
        let current = unsafe try view.cursor(view.tables.current)
        let low = try unsafe KeyName.withLowerBound(range.start) { raw in unsafe Bytes(raw) }
        let found = unsafe try view.firstChange(from: low, history)
        let now = unsafe try view.seek(low, current)
        self.view = view
        self.revision = revision
        self.bound = bound
        unsafe self.history = history
        unsafe self.current = current
        unsafe self.found = found
        unsafe self.now = now
    }

    mutating func next() throws(KeyspaceError) -> Step? {
        guard let first = unsafe found else {
            try checkEnd()
            return nil
        }
        guard let name = unsafe HistoryKey.name(of: first.key) else {
            throw unsafe KeyspaceError(damaged: .history, first.key, "not a key of history")
        }
        if unsafe bound.isPassed(by: name) {
            try checkEnd()
            return nil
        }
        let now = unsafe try takeNow(name)
        let (before, after) = unsafe try passChanges(of: name, first)
        unsafe try view.check(before, after, now: now, at: name)
        return unsafe Step(name: name, state: before.flatMap { $0.isDelete ? nil : $0 })
    }

    /// Moves on to the next name.
    private mutating func passChanges(
        of name: UnsafeRawBufferPointer, _ first: Cursor.Entry
    ) throws(KeyspaceError) -> Sides {
        var next: Cursor.Entry? = unsafe first
        var newest: Cursor.Entry?
        var after: IndexEntry?
        var steps = 0
        while let change = unsafe next, unsafe Self.isChange(change.key, of: name) {
            if steps == Self.stepsMax { return unsafe try search(name) }
            steps += 1
            if unsafe HistoryKey.position(of: change.key).revision <= revision {
                unsafe newest = change
            } else if after == nil {
                after = unsafe try IndexEntry.decode(change.value, under: change.key, in: .history)
            }
            unsafe next = try history.next(after: change.key)
        }
        unsafe found = next
        guard let newest = unsafe newest else { return (nil, after) }
        let before = unsafe try IndexEntry.decode(newest.value, under: newest.key, in: .history)
        return (before, after)
    }

    /// The same for a name of many changes.
    private mutating func search(
        _ name: UnsafeRawBufferPointer
    ) throws(KeyspaceError) -> Sides {
        let name = unsafe Bytes(name)
        let (view, revision) = (view, revision)
        let sides = try unsafe withRaw(HistoryKey.key(ofName: name, .end(of: revision))) {
            raw throws(KeyspaceError) in
            unsafe try view.changes(about: raw, history)
        }
        unsafe found = try view.firstChange(behind: name, history)
        return sides
    }

    private static func isChange(
        _ key: UnsafeRawBufferPointer, of name: UnsafeRawBufferPointer
    ) -> Bool {
        guard key.count == name.count + HistoryKey.suffixBytes else { return false }
        return unsafe key[..<name.count].elementsEqual(name)
    }

    /// The entry of `current` under a name; those of all names before have been taken.
    private mutating func takeNow(
        _ name: UnsafeRawBufferPointer
    ) throws(KeyspaceError) -> IndexEntry? {
        guard let found = unsafe now, unsafe !sortsBefore(name, found.key) else { return nil }
        guard unsafe !sortsBefore(found.key, name) else { throw unsafe Self.missing(found.key) }
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
