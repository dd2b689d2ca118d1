import Basics
import LMDB

/// Walks over the names of `current` in a range, and makes sure that none is missing.
///
/// Names rise; that finds what a damaged key or pointer does within a page. Where the walk begins
/// and ends, and from one page to the next, history is asked for what lies between. Must not
/// outlive the view, and nothing may be changed meanwhile.
@safe struct CurrentWalk: ~Copyable {
    /// Pages are no smaller.
    private static let pageShift = 12

    private let view: StateView
    private let start: Bytes
    private let bound: ScanBound
    private let cursor: TableCursor
    private let history: TableCursor
    /// The name that was answered last; nil at the end.
    private var last: UnsafeRawBufferPointer?

    init(_ view: StateView, _ range: KeyRange) throws(KeyspaceError) {
        let bound = try ScanBound(range)
        let cursor = unsafe try view.cursor(view.tables.current)
        let history = unsafe try view.cursor(view.tables.history)
        self.view = view
        self.start = range.start
        self.bound = bound
        unsafe self.cursor = cursor
        unsafe self.history = history
        unsafe last = nil
    }

    mutating func first() throws(KeyspaceError) -> Cursor.Entry? {
        let low = try unsafe KeyName.withLowerBound(start) { raw in unsafe Bytes(raw) }
        let found = unsafe try view.seek(low, cursor)
        return unsafe try step(to: found, from: low)
    }

    mutating func next() throws(KeyspaceError) -> Cursor.Entry? {
        guard let last = unsafe last else { return nil }
        let found = unsafe try cursor.next(after: last)
        if let found = unsafe found, unsafe Self.isSamePage(found.key, last),
            unsafe !bound.isPassed(by: found.key)
        {
            unsafe self.last = found.key
            return unsafe found
        }
        return unsafe try step(to: found, from: HistoryKey.end(ofName: Bytes(last)))
    }

    /// The first entry behind a gap, which begins in history at `low`; nil when that is the end.
    private mutating func step(
        to found: Cursor.Entry?, from low: Bytes
    ) throws(KeyspaceError) -> Cursor.Entry? {
        unsafe try view.checkGap(from: low, to: found?.key, bound, history)
        guard let found = unsafe found, unsafe !bound.isPassed(by: found.key) else {
            unsafe last = nil
            return nil
        }
        // The page may be another table's.
        _ = unsafe try IndexEntry.decode(found.value, under: found.key, in: .current)
        unsafe last = found.key
        return unsafe found
    }

    /// So it is in the map. A page that the writer has changed stands anywhere in memory: its parts
    /// may count as two, and the step to another one right behind it goes unseen.
    private static func isSamePage(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
    ) -> Bool {
        UInt(bitPattern: left.baseAddress) >> pageShift
            == UInt(bitPattern: right.baseAddress) >> pageShift
    }
}
