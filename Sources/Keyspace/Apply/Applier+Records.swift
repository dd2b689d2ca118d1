import Basics
import LMDB

extension Applier {
    /// Puts a key at a position, and answers its event.
    mutating func write(
        _ key: Bytes, _ value: Bytes, lease: Int64, at position: RecordPosition,
        following: UInt32 = 0, over existing: IndexEntry?
    ) throws(KeyspaceError) -> Event {
        let previous = try loadPrevious(key, existing)
        var header = RecordHeader(
            keyBytes: UInt16(key.count), following: following, valueBytes: UInt32(value.count),
            createRevision: existing?.createRevision ?? position.revision,
            version: (existing?.version ?? 0) + 1, lease: lease,
            previousRevision: existing?.revision ?? 0, previousSub: existing?.sub ?? 0)
        try append(&header, key, value, at: position)
        let entry = IndexEntry(position, header)
        try index(entry, key, isCurrent: true)
        if let old = existing?.lease, old != lease, old != 0 { try detach(key, from: old) }
        if lease != 0, existing?.lease != lease { try attach(key, to: lease) }
        var keyValue = entry.keyValue(key)
        keyValue.value = value
        return Event(kind: .put, keyValue: keyValue, previous: previous)
    }

    /// Deletes a key that exists, and answers its event.
    mutating func remove(
        _ key: Bytes, at position: RecordPosition, following: UInt32 = 0, _ existing: IndexEntry
    ) throws(KeyspaceError) -> Event {
        let previous = try loadPrevious(key, existing)
        var header = RecordHeader(
            flags: RecordHeader.deleteFlag, keyBytes: UInt16(key.count), following: following,
            valueBytes: 0, createRevision: 0, version: 0, lease: 0,
            previousRevision: existing.revision, previousSub: existing.sub)
        try append(&header, key, [], at: position)
        try index(IndexEntry(position, header), key, isCurrent: false)
        try delete(key, in: tables.current)
        if existing.lease != 0 { try detach(key, from: existing.lease) }
        let keyValue = KeyValue(
            key: key, value: [], createRevision: 0, modRevision: position.revision, version: 0)
        return Event(kind: .delete, keyValue: keyValue, previous: previous)
    }

    private func loadPrevious(
        _ key: Bytes, _ existing: IndexEntry?
    ) throws(KeyspaceError) -> KeyValue? {
        guard loadsPrevious, let existing else { return nil }
        return try view.keyValue(IndexedKey(key: key, entry: existing))
    }

    func index(
        _ entry: IndexEntry, _ key: Bytes, isCurrent: Bool
    ) throws(KeyspaceError) {
        try unsafe HistoryKey.with(key, entry.position) { raw throws(KeyspaceError) in
            unsafe try put(raw, entry, in: tables.history)
        }
        guard isCurrent else { return }
        unsafe try withRaw(key) { raw throws(KeyspaceError) in
            unsafe try put(raw, entry, in: tables.current)
        }
    }

    private func put(
        _ key: UnsafeRawBufferPointer, _ entry: IndexEntry, in database: Database
    ) throws(KeyspaceError) {
        var sealed = entry
        unsafe sealed.checksum = entry.checksum(under: key)
        let failure = unsafe withUnsafeBytes(of: sealed) { value -> KeyspaceError? in
            do throws(KeyspaceError) { unsafe try put(key, value, in: database) } catch {
                return error
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// Writes a record in place, chunk by chunk.
    private func append(
        _ header: inout RecordHeader, _ key: Bytes, _ value: Bytes, at position: RecordPosition
    ) throws(KeyspaceError) {
        let inFirst = header.firstChunkValueBytes
        let recordKey = RecordKey(position)
        let first = unsafe try reserve(recordKey, RecordHeader.bytes + key.count + inFirst)
        unsafe first.storeBytes(of: header, as: RecordHeader.self)
        unsafe Self.copy(key[...], to: first, at: RecordHeader.bytes)
        unsafe Self.copy(value[..<inFirst], to: first, at: RecordHeader.bytes + key.count)
        unsafe Self.seal(first, recordKey)
        let perChunk = RecordHeader.chunkBytesMax - RecordHeader.checksumBytes
        var written = inFirst
        var number: UInt32 = 1
        while written < value.count {
            let part = value[written..<min(value.count, written + perChunk)]
            let chunkKey = RecordKey(position, chunk: number)
            let chunk = unsafe try reserve(chunkKey, RecordHeader.checksumBytes + part.count)
            unsafe Self.copy(part, to: chunk, at: RecordHeader.checksumBytes)
            unsafe Self.seal(chunk, chunkKey)
            written += part.count
            number += 1
        }
    }

    private func reserve(
        _ key: RecordKey, _ count: Int
    ) throws(KeyspaceError) -> UnsafeMutableRawBufferPointer {
        unsafe try withRaw(of: key) { raw throws(KeyspaceError) in
            do throws(LMDBError) {
                return unsafe try changes.append(raw, count: count, in: tables.records)
            } catch { throw KeyspaceError(error) }
        }
    }

    private static func copy(
        _ bytes: ArraySlice<UInt8>, to target: UnsafeMutableRawBufferPointer, at offset: Int
    ) {
        unsafe bytes.withUnsafeBytes { raw in
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...])
                .copyMemory(from: raw)
        }
    }

    /// Puts the checksum over the record key and what follows the checksum in its place.
    private static func seal(_ chunk: UnsafeMutableRawBufferPointer, _ key: RecordKey) {
        let start = unsafe withUnsafeBytes(of: key) { unsafe CRC32C.checksum($0) }
        let body = unsafe UnsafeRawBufferPointer(
            rebasing: chunk[RecordHeader.checksumBytes...])
        unsafe chunk.storeBytes(
            of: CRC32C.checksum(body, continuing: start), as: UInt32.self)
    }

    /// Removes a change and its history entry; nothing happens when it is gone already.
    func erase(_ key: Bytes, at position: RecordPosition) throws(KeyspaceError) {
        try unsafe HistoryKey.with(key, position) { raw throws(KeyspaceError) in
            _ = unsafe try delete(raw, in: tables.history)
        }
        var chunk: UInt32 = 0
        while try unsafe withRaw(
            of: RecordKey(position, chunk: chunk),
            { raw throws(KeyspaceError) in unsafe try delete(raw, in: tables.records) })
        {
            chunk += 1
        }
    }
}
