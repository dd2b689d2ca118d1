package import Basics
import LMDB

/// Reads everything that the keyspace's file holds, through the checks that every read makes, and
/// compares the tables with one another: finds damage before somebody needs the data.
///
/// One pass is many slices. Each has a read transaction of its own, so that no page is kept from
/// reuse for long; what changes meanwhile is seen before or after. Damage ends the pass with an
/// error and is noted by the keyspace.
package struct Scrubber: Sendable {
    /// What a pass has seen so far.
    package struct Report: Sendable, Hashable {
        package var entries = 0
        package var bytes = 0
        package var freePages = 0
        package var isComplete = false

        package init() {}
    }

    private enum Stage {
        case freeList
        /// `last` is the table's last key when it was begun: what the writer appends meanwhile is
        /// left to the next pass.
        case table(TableName, after: Bytes?, last: Bytes?)
        case done
    }

    /// A slice ends after this long, or after its bytes.
    package static let sliceMilliseconds: UInt64 = 100
    /// Entries between looks at the clock.
    private static let entriesPerLook = 32

    private var stage = Stage.freeList
    package private(set) var report = Report()

    package init() {}

    /// Reads the next slice; false when there is no more.
    package mutating func step(
        _ keyspace: Keyspace, bytesMax: Int, now: () -> MonotonicTime
    ) throws(KeyspaceError) -> Bool {
        guard case .done = stage else {
            var slice = self
            let found: Void? = try keyspace.readers.read { view throws(KeyspaceError) in
                try slice.read(view, bytesMax: bytesMax, now: now)
            }
            // The keyspace is closed.
            guard found != nil else { return false }
            self = slice
            return !report.isComplete
        }
        return false
    }

    private mutating func read(
        _ view: StateView, bytesMax: Int, now: () -> MonotonicTime
    ) throws(KeyspaceError) {
        switch stage {
        case .done: return
        case .freeList:
            report.freePages = try FreeListCheck.run(view)
            stage = .table(.records, after: nil, last: nil)
        case .table(let table, let after, var last):
            let limit = Limit(
                bytesMax: bytesMax,
                end: now().advanced(milliseconds: Self.sliceMilliseconds))
            if after == nil { last = try Self.lastKey(of: table, view) }
            if let next = try readTable(table, after: after, last: last, view, limit, now) {
                stage = .table(table, after: next, last: last)
            } else {
                finish(table)
            }
        }
    }

    private mutating func finish(_ table: TableName) {
        let tables = TableName.allCases
        if let next = tables.drop(while: { $0 != table }).dropFirst().first {
            stage = .table(next, after: nil, last: nil)
        } else {
            stage = .done
            report.isComplete = true
        }
    }

    private struct Limit {
        var bytesMax: Int
        var end: MonotonicTime
    }

    private static func lastKey(
        of table: TableName, _ view: StateView
    ) throws(KeyspaceError) -> Bytes? {
        let cursor = unsafe try view.cursor(view.tables.database(table))
        guard let last = unsafe try cursor.last() else { return nil }
        return unsafe Bytes(last.key)
    }

    /// The last key that was looked at; nil at the table's end.
    private mutating func readTable(
        _ table: TableName, after: Bytes?, last: Bytes?, _ view: StateView, _ limit: Limit,
        _ now: () -> MonotonicTime
    ) throws(KeyspaceError) -> Bytes? {
        let cursor = unsafe try view.cursor(view.tables.database(table))
        var check = EntryCheck(table, view)
        var next: Cursor.Entry?
        if let after {
            // Nothing sorts between a key and the same with a zero byte behind it.
            unsafe next = try unsafe withRaw(after) { raw throws(KeyspaceError) in
                unsafe try cursor.seek(above: raw)
            }
        } else {
            unsafe next = try cursor.first()
        }
        var bytes = 0
        var count = 0
        while let found = unsafe next, let last {
            if unsafe last.lexicographicallyPrecedes(found.key) { break }
            unsafe try check.check(found.key, found.value)
            bytes += unsafe found.key.count + found.value.count
            count += 1
            report.entries += 1
            let isOver =
                bytes >= limit.bytesMax
                || (count % Self.entriesPerLook == 0 && now() >= limit.end)
            if isOver {
                report.bytes += bytes
                return unsafe Bytes(found.key)
            }
            unsafe next = try cursor.next()
        }
        report.bytes += bytes
        return nil
    }
}

extension TableCursor {
    /// The first entry whose key is above `key`.
    func seek(above key: UnsafeRawBufferPointer) throws(KeyspaceError) -> Cursor.Entry? {
        guard let found = unsafe try seek(atLeast: key) else { return nil }
        return unsafe found.key.elementsEqual(key) ? try next() : found
    }
}
