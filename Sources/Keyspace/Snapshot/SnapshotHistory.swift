import Basics

/// The changes and leases of a snapshot file, one after another, for programs that write them in
/// another form. Everything is checked on the way.
package final class SnapshotHistory {
    package enum Item: Sendable {
        case change(Change)
        case lease(id: Int64, grantedTTLSeconds: Int64, remainingTTLSeconds: Int64)
    }

    /// A put, or a deletion, which has no value.
    package struct Change: Sendable {
        package var keyValue: KeyValue
        /// Number within the revision.
        package var sub: UInt32
        package var isDelete: Bool

        package init(keyValue: KeyValue, sub: UInt32, isDelete: Bool) {
            self.keyValue = keyValue
            self.sub = sub
            self.isDelete = isDelete
        }
    }

    private let reader: SnapshotReader
    private var entries: ArraySlice<SnapshotReader.Entry> = []
    private var assembly = RecordAssembly()
    private var isAtEnd = false

    package init(_ path: String) throws(KeyspaceError) {
        reader = try SnapshotReader(path)
    }

    package var header: SnapshotHeader { reader.header }

    /// Changes in the order of revisions, then leases; nil at the end of a file that was in order.
    package func next() throws(KeyspaceError) -> Item? {
        while let entry = try nextEntry() {
            guard entry.table == .records else {
                if let whole = assembly.finish().complete {
                    entries = [entry] + entries
                    return .change(Change(whole))
                }
                return try lease(entry)
            }
            let step = assembly.take(entry.key, entry.value, page: 0)
            if let problem = step.problems.first { throw damaged(problem.reason) }
            if let whole = step.complete { return .change(Change(whole)) }
        }
        let last = assembly.finish()
        if let problem = last.problems.first { throw damaged(problem.reason) }
        return last.complete.map { .change(Change($0)) }
    }

    private func nextEntry() throws(KeyspaceError) -> SnapshotReader.Entry? {
        while entries.isEmpty, !isAtEnd {
            guard let chunk = try reader.next() else {
                isAtEnd = true
                return nil
            }
            entries = chunk[...]
        }
        return entries.popFirst()
    }

    private func lease(_ entry: SnapshotReader.Entry) throws(KeyspaceError) -> Item {
        let id = unsafe entry.key.withUnsafeBytes { unsafe LeaseEntry.id(of: $0) }
        guard let id else { throw damaged("a lease without an id") }
        let lease = try LeaseEntry(decoding: entry.value, id: id)
        return .lease(
            id: id, grantedTTLSeconds: lease.grantedTTLSeconds,
            remainingTTLSeconds: lease.remainingTTLSeconds)
    }

    private func damaged(_ reason: String) -> KeyspaceError {
        reader.chunks.damaged(reader.chunks.offset, reason)
    }
}

extension SnapshotHistory.Change {
    fileprivate init(_ whole: RecordAssembly.Whole) {
        let header = whole.header
        var content = Bytes()
        content.reserveCapacity(header.contentBytes)
        for (number, chunk) in whole.chunks.enumerated() {
            content +=
                chunk.value[(number == 0 ? RecordHeader.bytes : RecordHeader.checksumBytes)...]
        }
        keyValue = KeyValue(
            key: whole.key, value: Bytes(content[Int(header.keyBytes)...]),
            createRevision: header.createRevision, modRevision: whole.position.revision,
            version: header.version, lease: header.lease)
        sub = whole.position.sub
        isDelete = header.isDelete
    }
}
