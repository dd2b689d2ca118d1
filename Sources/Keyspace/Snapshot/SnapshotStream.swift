package import Basics
import LMDB

/// Frames of a snapshot file in order; their concatenation is the file.
///
/// Holds a read transaction, and with it the file: pages that it can see are not reused until it
/// goes out of use, or its keyspace stops. One thread at a time.
package final class SnapshotStream: @unchecked Sendable {
    // Sendable because LMDB's read transactions may move between threads (MDB_NOTLS), and what
    // changes is behind `isOver`.

    package let header: SnapshotHeader

    private enum Phase {
        case header
        case table(SnapshotFormat.Table, after: Bytes?)
        case trailer
        case done
    }

    private var transaction: ReadTransaction
    private let isOver = Locked(false)
    /// Of a keyspace that may stop meanwhile.
    private let pool: ReaderPool?
    private let tables: Tables
    private let stored: StoredState
    private var phase = Phase.header
    private var writer = ChunkedWriter(SnapshotFormat.kind)

    init(
        _ transaction: consuming ReadTransaction, _ tables: Tables, clusterID: UInt64,
        createdMilliseconds: UInt64, of pool: ReaderPool? = nil
    ) throws(KeyspaceError) {
        let view = try unsafe StateView(transaction.view, tables)
        stored = view.stored
        let keys = try lmdb { () throws(LMDBError) in
            unsafe try view.transaction.statistics(of: tables.current).entries
        }
        header = SnapshotHeader(
            clusterID: clusterID, index: view.state.appliedIndex, term: view.state.appliedTerm,
            revision: view.state.revision, compactRevision: view.state.compactRevision,
            membership: try view.blob(Keyspace.membershipName) ?? [],
            auth: try view.blob(Keyspace.authName) ?? [],
            createdMilliseconds: createdMilliseconds,
            keys: UInt64(keys))
        self.transaction = transaction
        self.pool = pool
        self.tables = tables
    }

    deinit { end() }

    /// Lets go of the file, as soon as the frame is made that is being made.
    func end() {
        let isFirst = isOver.withLock { isOver in
            if isOver { return false }
            isOver = true
            transaction.end()
            return true
        }
        if isFirst { pool?.streamEnded() }
    }

    /// The next frame, of about 256 KiB at most; nil after the last. An entry that fails its
    /// checksum ends the stream with an error: damage does not spread.
    package func next() throws(KeyspaceError) -> Bytes? {
        try isOver.withLock { isOver throws(KeyspaceError) in
            if isOver { throw .closed }
            return try nextFrame()
        }
    }

    private func nextFrame() throws(KeyspaceError) -> Bytes? {
        while true {
            switch phase {
            case .header:
                phase = .table(.records, after: nil)
                return writer.header(SnapshotFormat.encode(header, stored))
            case .table(let table, let after):
                let (content, entries, last) = try collectNoting(table, after: after)
                if let last {
                    phase = .table(table, after: last)
                } else {
                    phase = table == .records ? .table(.leases, after: nil) : .trailer
                }
                if !content.isEmpty { return try writer.chunk(content, entries: entries) }
            case .trailer:
                phase = .done
                return writer.trailer()
            case .done: return nil
            }
        }
    }

    private func collectNoting(
        _ table: SnapshotFormat.Table, after: Bytes?
    ) throws(KeyspaceError) -> (content: Bytes, entries: Int, last: Bytes?) {
        do throws(KeyspaceError) { return try collect(table, after: after) } catch {
            if error.code == .corrupt { pool?.damage.note(error) }
            throw error
        }
    }

    /// Entries after a key until a chunk is full; the last key, or nil at the table's end.
    private func collect(
        _ table: SnapshotFormat.Table, after: Bytes?
    ) throws(KeyspaceError) -> (content: Bytes, entries: Int, last: Bytes?) {
        let view = unsafe StateView(transaction.view, tables, stored)
        let cursor = unsafe try view.cursor(table == .records ? tables.records : tables.leases)
        var writer = ByteWriter(reserving: ChunkedFile.chunkBytes + 4096)
        var entries = 0
        var next: Cursor.Entry?
        if let after {
            unsafe next = try unsafe withRaw(after) { raw throws(KeyspaceError) in
                unsafe try cursor.seek(atLeast: raw)
            }
            // The key itself is in the chunk before.
            unsafe next = try cursor.next()
        } else {
            unsafe next = try cursor.first()
        }
        while let found = unsafe next {
            unsafe try Self.verify(found, table, view)
            let (key, value) = unsafe (Bytes(found.key), Bytes(found.value))
            writer.write(table.rawValue)
            writer.writeCounted(key)
            writer.writeCounted(value)
            entries += 1
            if writer.count >= ChunkedFile.chunkBytes {
                return (writer.bytes, entries, key)
            }
            unsafe next = try cursor.next(after: found.key)
        }
        return (writer.bytes, entries, nil)
    }

    private static func verify(
        _ entry: Cursor.Entry, _ table: SnapshotFormat.Table, _ view: StateView
    ) throws(KeyspaceError) {
        guard table == .records else {
            guard let id = unsafe LeaseEntry.id(of: entry.key) else {
                throw unsafe KeyspaceError(damaged: .leases, entry.key, "not a lease id")
            }
            _ = try LeaseEntry(decoding: unsafe Bytes(entry.value), id: id)
            return
        }
        guard let recordKey = unsafe RecordKey(entry.key) else {
            throw unsafe KeyspaceError(damaged: .records, entry.key, "not a record's key")
        }
        guard unsafe view.isIntact(entry.value, recordKey) else {
            throw StateView.damaged(recordKey)
        }
    }
}

extension Keyspace {
    /// A consistent copy of the state as it is now, to be pulled frame by frame; does not hold
    /// up `apply`.
    ///
    /// - Parameter createdMilliseconds: the time now, since 1970; it stands in the header.
    package func snapshot(
        clusterID: UInt64, createdMilliseconds: UInt64 = 0
    ) throws(KeyspaceError) -> SnapshotStream {
        try readers.stream { transaction throws(KeyspaceError) in
            try SnapshotStream(
                transaction, readers.tables, clusterID: clusterID,
                createdMilliseconds: createdMilliseconds, of: readers)
        }
    }
}
