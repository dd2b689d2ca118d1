import Basics

/// Reads a snapshot file from beginning to end, and checks everything on the way.
final class SnapshotReader: @unchecked Sendable {
    // Sendable because one thread at a time reads.

    struct Entry {
        var table: SnapshotFormat.Table
        var key: Bytes
        var value: Bytes
    }

    let header: SnapshotHeader
    let stored: StoredState
    let chunks: ChunkedReader

    init(_ path: String) throws(KeyspaceError) {
        chunks = try ChunkedReader(path, SnapshotFormat.kind)
        (header, stored) = try SnapshotFormat.decodeFields(chunks.fields, path)
    }

    /// The next chunk's entries; nil at the end, which has been found to be in order.
    func next() throws(KeyspaceError) -> [Entry]? {
        let start = chunks.offset
        guard let content = try chunks.next() else { return nil }
        do throws(DecodingFailure) {
            let found = try Self.decode(content)
            chunks.entries += UInt64(found.count)
            return found
        } catch {
            throw chunks.damaged(start, "\(error)")
        }
    }

    static func decode(_ content: Bytes) throws(DecodingFailure) -> [Entry] {
        var found: [Entry] = []
        var reader = ByteReader(content)
        while !reader.isAtEnd {
            let byte = try reader.readByte("table")
            guard let table = SnapshotFormat.Table(rawValue: byte) else {
                throw reader.failure("table", "\(byte) is not known")
            }
            let key = try reader.readCounted("key")
            found.append(Entry(table: table, key: key, value: try reader.readCounted("value")))
        }
        return found
    }
}
