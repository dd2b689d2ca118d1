package import Basics
import LMDB

/// Reads a keyspace file, in use or not, without changing anything: for `martlet-dump`.
///
/// A walk lets go of its read transaction every 100 ms, so that it never keeps the writer from
/// reusing pages for long; what it sees then is of several revisions, each key of one.
package final class KeyspaceInspector {
    package struct Summary: Sendable {
        package var state: Keyspace.State
        /// Whether compacted records are still to be removed.
        package var isCompacting: Bool
        package var keys: Int
        /// Retained changes, the newest of each key included.
        package var changes: Int
        package var leases: Int
        package var fileBytes: Int64
        package var bytesInUse: Int64
    }

    /// A change of a key, without the value.
    package struct Change: Sendable {
        package var key: Bytes
        package var revision: Int64
        package var sub: UInt32
        package var isDelete: Bool
        package var createRevision: Int64
        package var version: Int64
        package var lease: Int64
        package var valueBytes: Int

        init(_ key: Bytes, _ entry: IndexEntry) {
            self.key = key
            revision = entry.revision
            sub = entry.sub
            isDelete = entry.isDelete
            createRevision = entry.createRevision
            version = entry.version
            lease = entry.lease
            valueBytes = Int(entry.valueBytes)
        }
    }

    private static let holdMilliseconds: UInt64 = 100
    /// Entries between looks at the clock.
    private static let entriesPerLook = 64

    private let environment: Environment
    private let tables: Tables

    package init(directory: String) throws(KeyspaceError) {
        guard Files.exists(directory + "/" + Keyspace.fileName) else {
            throw KeyspaceError(.inputOutput, "\(directory) holds no \(Keyspace.fileName)")
        }
        try Keyspace.checkFileInUse(in: directory)
        let environment = try lmdb { () throws(LMDBError) in
            try Keyspace.openEnvironment(directory, Keyspace.Options(), isReadOnly: true)
        }
        let read = try lmdb { () throws(LMDBError) in try environment.beginRead() }
        let view = unsafe read.view
        let tables = try lmdb { () throws(LMDBError) in unsafe try Tables(in: view) }
        guard let tables else {
            throw KeyspaceError(.foreignFormat, "\(directory) is not a keyspace")
        }
        do throws(LMDBError) { try read.keepDatabases() } catch { throw KeyspaceError(error) }
        self.environment = environment
        self.tables = tables
    }

    package func summary() throws(KeyspaceError) -> Summary {
        let usage = try lmdb { () throws(LMDBError) in try environment.usage(of: tables.all) }
        return try read { view throws(KeyspaceError) in
            func entries(_ table: Database) throws(KeyspaceError) -> Int {
                try lmdb { () throws(LMDBError) in
                    unsafe try view.transaction.statistics(of: table).entries
                }
            }
            return Summary(
                state: view.state, isCompacting: view.stored.isCompacting,
                keys: try entries(tables.current), changes: try entries(tables.history),
                leases: try entries(tables.leases), fileBytes: usage.fileBytes,
                bytesInUse: usage.bytesInUse)
        }
    }

    /// The keys of a range that exist, in order.
    package func keys(
        _ range: KeyRange, _ visit: (Change) -> Void
    ) throws(KeyspaceError) {
        var from = range.start
        var skips = false
        while true {
            let scanned = skips ? KeyRange(start: from, end: range.end) : range
            let last = try hold { view, isOver throws(KeyspaceError) -> Bytes? in
                var last: Bytes?
                unsafe try view.scanCurrent(scanned) { found, entry in
                    let key = unsafe found.bytes
                    if skips && key == from { return true }
                    visit(Change(key, entry))
                    if isOver() {
                        last = key
                        return false
                    }
                    return true
                }
                return last
            }
            guard let last else { return }
            from = last
            skips = true
        }
    }

    /// The retained changes of a range of keys, by key and revision; long keys with the same
    /// beginning come in the order of their names' hashes.
    package func changes(
        _ range: KeyRange, _ visit: (Change) -> Void
    ) throws(KeyspaceError) {
        var after: (key: Bytes, position: RecordPosition)?
        while true {
            let start = after
            after = try hold { view, isOver throws(KeyspaceError) in
                try Self.changes(view, range, after: start, visit, isOver)
            }
            if after == nil { return }
        }
    }

    /// Where to go on, or nil at the end.
    private static func changes(
        _ view: StateView, _ range: KeyRange, after: (key: Bytes, position: RecordPosition)?,
        _ visit: (Change) -> Void, _ isOver: () -> Bool
    ) throws(KeyspaceError) -> (key: Bytes, position: RecordPosition)? {
        let cursor = unsafe try view.cursor(view.tables.history)
        let bound = try ScanBound(range)
        var next: Cursor.Entry?
        if let after {
            let position = RecordPosition(
                revision: after.position.revision, sub: after.position.sub + 1)
            unsafe next = try HistoryKey.with(after.key, position) {
                raw throws(KeyspaceError) in
                unsafe try cursor.seek(atLeast: raw)
            }
        } else {
            unsafe next = try KeyName.withLowerBound(range.start) {
                raw throws(KeyspaceError) in
                unsafe raw.isEmpty ? try cursor.first() : try cursor.seek(atLeast: raw)
            }
        }
        while let found = unsafe next {
            guard let name = unsafe HistoryKey.name(of: found.key) else {
                throw unsafe KeyspaceError(damaged: .history, found.key, "not a key of history")
            }
            if unsafe bound.isPassed(by: name) { return nil }
            let key = unsafe try view.key(ofName: name)
            let entry = unsafe try IndexEntry.decode(
                found.value, under: found.key, in: .history)
            if range.contains(key) { visit(Change(key, entry)) }
            if isOver() { return (key, entry.position) }
            unsafe next = try cursor.next()
        }
        return nil
    }

    /// A key as it stood at a revision, 0 for now.
    package func get(
        _ key: Bytes, revision: Int64
    ) throws(KeyspaceError) -> Result<KeyValue?, StoreError> {
        let request = RangeRequest(.key(key), revision: revision)
        return try read { view throws(KeyspaceError) in
            try view.range(request).map(\.keyValues.first)
        }
    }

    /// Every key of a range as it stood at a revision, with its value, in order. Answers the
    /// revision, which 0 leaves to the file.
    package func values(
        _ range: KeyRange, revision: Int64, _ visit: (KeyValue) -> Void
    ) throws(KeyspaceError) -> Result<Int64, StoreError> {
        let newest = try read { view throws(KeyspaceError) in view.state.revision }
        let revision = revision == 0 ? newest : revision
        var from = range.start
        while true {
            let request = RangeRequest(
                KeyRange(start: from, end: range.end), limit: 256, revision: revision)
            let answer = try read { view throws(KeyspaceError) in try view.range(request) }
            switch answer {
            case .failure(let error): return .failure(error)
            case .success(let found):
                for keyValue in found.keyValues { visit(keyValue) }
                guard found.keyValues.count == 256, let last = found.keyValues.last else {
                    return .success(revision)
                }
                from = last.key + [0]
            }
        }
    }

    /// The state as it is now, to be pulled frame by frame; every record is checked on the way.
    /// Holds the read transaction until it goes out of use: for replicas that do not run.
    package func snapshot(
        clusterID: UInt64, createdMilliseconds: UInt64 = 0
    ) throws(KeyspaceError) -> SnapshotStream {
        let transaction = try lmdb { () throws(LMDBError) in try environment.beginRead() }
        return try SnapshotStream(
            transaction, tables, clusterID: clusterID, createdMilliseconds: createdMilliseconds)
    }

    private func read<Value>(
        _ body: (StateView) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        let transaction = try lmdb { () throws(LMDBError) in try environment.beginRead() }
        return try body(unsafe StateView(transaction.view, tables))
    }

    /// `read` with a function that says when the transaction was held for long enough.
    private func hold<Value>(
        _ body: (StateView, () -> Bool) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        let start = MonotonicTime.now()
        var count = 0
        return try read { view throws(KeyspaceError) in
            try body(view) {
                count += 1
                return count % Self.entriesPerLook == 0
                    && MonotonicTime.now().milliseconds(since: start) >= Self.holdMilliseconds
            }
        }
    }
}
