package import Basics

/// One entry of a table by itself, without a file: for checks of what its bytes mean.
package enum TableEntry {
    /// The value as it is written today under the same key; nil when it is refused.
    ///
    /// Of `records` only a first chunk that holds the whole record is taken.
    package static func rewritten(
        _ value: Bytes, under key: Bytes, in table: TableName
    ) -> Bytes? {
        do throws(KeyspaceError) {
            switch table {
            case .records: return record(value, key)
            case .current: return try current(value, key)
            case .history: return try history(value, key)
            case .leases: return try lease(value, key)
            case .leaseKeys: return leaseKey(value, key)
            case .longKeys: return longKey(value, key)
            case .meta: return try meta(value, key)
            }
        } catch {
            return nil
        }
    }

    /// The key that a long name stands for, of parts as `part` answers them for the keys of
    /// `longKeys`; nil when one of them is refused.
    package static func key(ofLongName name: Bytes, _ part: (Bytes) -> Bytes?) -> Bytes? {
        unsafe withRaw(name) { raw -> Bytes? in
            try? unsafe LongKeyChunk.key(ofName: raw) { part($0) }
        }
    }

    /// Where the commit of a record ends that its first chunk holds whole; nil when it is refused.
    package static func commitEnd(ofRecord value: Bytes, under key: Bytes) -> Int64? {
        whole(value, key)?.commitEnd
    }

    private static func whole(_ value: Bytes, _ key: Bytes) -> RecordAssembly.Whole? {
        var assembly = RecordAssembly()
        let step = assembly.take(key, value, page: 0)
        return step.problems.isEmpty ? assembly.finish().complete : nil
    }

    private static func record(_ value: Bytes, _ key: Bytes) -> Bytes? {
        guard let whole = Self.whole(value, key) else { return nil }
        var writer = ByteWriter(reserving: value.count)
        writer.write(unsafe withUnsafeBytes(of: whole.header) { unsafe Bytes($0) })
        writer.write(whole.key)
        writer.write(value[(RecordHeader.bytes + whole.key.count)...])
        return writer.bytes
    }

    private static func current(_ value: Bytes, _ key: Bytes) throws(KeyspaceError) -> Bytes? {
        let entry = try indexEntry(value, key, .current)
        return unsafe withUnsafeBytes(of: entry) { unsafe Bytes($0) }
    }

    private static func history(_ value: Bytes, _ key: Bytes) throws(KeyspaceError) -> Bytes? {
        let position = unsafe withRaw(key) { raw -> RecordPosition? in
            guard unsafe HistoryKey.name(of: raw) != nil else { return nil }
            return unsafe HistoryKey.position(of: raw)
        }
        guard let position else { return nil }
        let entry = try indexEntry(value, key, .history)
        guard entry.position == position else { return nil }
        return unsafe try withRaw(key) { raw throws(KeyspaceError) -> Bytes in
            unsafe try entry.withPacked(under: raw) { packed throws(KeyspaceError) -> Bytes in
                unsafe Bytes(packed)
            }
        }
    }

    private static func indexEntry(
        _ value: Bytes, _ key: Bytes, _ table: TableName
    ) throws(KeyspaceError) -> IndexEntry {
        unsafe try withRaw(key) { keyRaw throws(KeyspaceError) -> IndexEntry in
            unsafe try withRaw(value) { raw throws(KeyspaceError) -> IndexEntry in
                unsafe try IndexEntry.decode(raw, under: keyRaw, in: table)
            }
        }
    }

    private static func lease(_ value: Bytes, _ key: Bytes) throws(KeyspaceError) -> Bytes? {
        guard key.count == 8, let id = leaseID(key) else { return nil }
        return try LeaseEntry(decoding: value, id: id).encode(id: id)
    }

    private static func leaseKey(_ value: Bytes, _ key: Bytes) -> Bytes? {
        guard key.count > 8, let id = leaseID(key) else { return nil }
        let name = Bytes(key[8...])
        let own = unsafe withRaw(name) { raw -> Bytes in
            unsafe LeaseEntry.leaseKey(id, raw).value
        }
        return own == value ? own : nil
    }

    private static func leaseID(_ key: Bytes) -> Int64? {
        unsafe withRaw(key) { raw -> Int64? in unsafe LeaseEntry.id(of: raw) }
    }

    private static func longKey(_ value: Bytes, _ key: Bytes) -> Bytes? {
        guard let chunk = LongKeyChunk.decode(value, key) else { return nil }
        return LongKeyChunk.encode(key, total: chunk.total, chunk.part)
    }

    private static func meta(_ value: Bytes, _ key: Bytes) throws(KeyspaceError) -> Bytes? {
        if key == Bytes(StoredState.name.utf8) {
            return try StoredState(decoding: value).encode()
        }
        return MetaName.open(value, under: key).map { MetaName.seal($0, under: key) }
    }
}
