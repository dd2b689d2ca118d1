import Basics
import LMDB

extension Applier {
    /// Puts a key at a position, and answers its event.
    ///
    /// - Parameter origin: create revision and version, for a key whose earlier changes are not
    ///   retained any more.
    mutating func write(
        _ key: Bytes, _ value: Bytes, lease: Int64, at position: RecordPosition,
        following: UInt32 = 0, over existing: IndexEntry?,
        origin: (createRevision: Int64, version: Int64)? = nil
    ) throws(KeyspaceError) -> Event {
        let previous = try loadPrevious(key, existing)
        var header = RecordHeader(
            keyBytes: UInt16(key.count), following: following, valueBytes: UInt32(value.count),
            createRevision: origin?.createRevision ?? existing?.createRevision
                ?? position.revision,
            version: origin?.version ?? (existing?.version ?? 0) + 1, lease: lease,
            previousRevision: existing?.revision ?? 0, previousSub: existing?.sub ?? 0)
        let hash = try append(&header, key, value, at: position)
        stored.note(hash, over: existing?.recordHash, isDelete: false)
        let entry = IndexEntry(position, header, hash: hash)
        try index(entry, key, isCurrent: true)
        if let old = existing?.lease, old != lease, old != 0 { try detach(key, from: old) }
        if lease != 0, existing?.lease != lease { try attach(key, to: lease) }
        var keyValue = entry.keyValue(key)
        keyValue.value = value
        return Event(kind: .put, keyValue: keyValue, previous: previous)
    }

    /// Deletes a key, and answers its event. Where history begins with the deletion, nothing is
    /// known of what was there.
    mutating func remove(
        _ key: Bytes, at position: RecordPosition, following: UInt32 = 0, _ existing: IndexEntry?
    ) throws(KeyspaceError) -> Event {
        let previous = try loadPrevious(key, existing)
        var header = RecordHeader(
            flags: RecordHeader.deleteFlag, keyBytes: UInt16(key.count), following: following,
            valueBytes: 0, createRevision: 0, version: 0, lease: 0,
            previousRevision: existing?.revision ?? 0, previousSub: existing?.sub ?? 0)
        let hash = try append(&header, key, [], at: position)
        stored.note(hash, over: existing?.recordHash, isDelete: true)
        try index(IndexEntry(position, header, hash: hash), key, isCurrent: false)
        if let lease = existing?.lease, lease != 0 { try detach(key, from: lease) }
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

    /// Puts a change into the history index, and into or out of the current one.
    func index(
        _ entry: IndexEntry, _ key: Bytes, isCurrent: Bool
    ) throws(KeyspaceError) {
        try unsafe HistoryKey.with(key, entry.position) { raw throws(KeyspaceError) in
            unsafe try entry.withPacked(under: raw) { packed throws(KeyspaceError) in
                unsafe try put(raw, packed, in: tables.history)
            }
        }
        try unsafe KeyName.with(key) { name throws(KeyspaceError) in
            if isCurrent {
                unsafe try putCurrent(name, entry)
            } else {
                unsafe try delete(name, in: tables.current)
            }
            if unsafe KeyName.isLong(name) { unsafe try addLongKey(key, name) }
        }
    }

    private func addLongKey(
        _ key: Bytes, _ name: UnsafeRawBufferPointer
    ) throws(KeyspaceError) {
        if try view.get(unsafe LongKeyChunk.key(name, 0), in: tables.longKeys) != nil { return }
        for number in 0..<LongKeyChunk.count(ofKeyBytes: key.count) {
            let tableKey = unsafe LongKeyChunk.key(name, number)
            try put(tableKey, LongKeyChunk.encode(tableKey, key, number), in: tables.longKeys)
        }
    }

    /// With the last change of a long key its entries go.
    private func removeLongKey(_ key: Bytes) throws(KeyspaceError) {
        let cursor = unsafe try view.cursor(tables.history)
        let rest = unsafe try view.latest(key, upTo: Int64.max, cursor)
        guard rest == nil else { return }
        try unsafe KeyName.with(key) { name throws(KeyspaceError) in
            for number in 0..<LongKeyChunk.count(ofKeyBytes: key.count) {
                try delete(unsafe LongKeyChunk.key(name, number), in: tables.longKeys)
            }
        }
    }

    private func putCurrent(
        _ key: UnsafeRawBufferPointer, _ entry: IndexEntry
    ) throws(KeyspaceError) {
        var sealed = entry
        unsafe sealed.checksum = entry.checksum(under: key)
        let failure = unsafe withUnsafeBytes(of: sealed) { value -> KeyspaceError? in
            do throws(KeyspaceError) { unsafe try put(key, value, in: tables.current) } catch {
                return error
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// Writes a record in place, chunk by chunk, and answers its hash.
    private func append(
        _ header: inout RecordHeader, _ key: Bytes, _ value: Bytes, at position: RecordPosition
    ) throws(KeyspaceError) -> UInt64 {
        var hash = RecordHash(position)
        var offset = 0
        for number in 0..<RecordHeader.chunks(ofContentBytes: header.contentBytes) {
            let isFirst = number == 0
            let start = isFirst ? RecordHeader.bytes : RecordHeader.checksumBytes
            let end = min(header.contentBytes, offset + RecordHeader.chunkBytesMax - start)
            let chunkKey = RecordKey(position, chunk: UInt32(number))
            let chunk = unsafe try reserve(chunkKey, start + end - offset)
            if isFirst { unsafe chunk.storeBytes(of: header, as: RecordHeader.self) }
            let inKey = min(offset, key.count)..<min(end, key.count)
            unsafe Self.copy(key[inKey], to: chunk, at: start)
            let inValue = max(0, offset - key.count)..<max(0, end - key.count)
            unsafe Self.copy(value[inValue], to: chunk, at: start + inKey.count)
            let checksum = unsafe Self.seal(chunk, chunkKey)
            hash.add(checksum: checksum, count: chunk.count)
            offset = end
        }
        return hash.value
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
    private static func seal(
        _ chunk: UnsafeMutableRawBufferPointer, _ key: RecordKey
    ) -> UInt32 {
        let start = unsafe withUnsafeBytes(of: key) { unsafe CRC32C.checksum($0) }
        let body = unsafe UnsafeRawBufferPointer(
            rebasing: chunk[RecordHeader.checksumBytes...])
        let checksum = unsafe CRC32C.checksum(body, continuing: start)
        unsafe chunk.storeBytes(of: checksum, as: UInt32.self)
        return checksum
    }

    /// Removes a change and its history entry; nothing happens when it is gone already.
    func erase(_ key: Bytes, at position: RecordPosition) throws(KeyspaceError) {
        try unsafe HistoryKey.with(key, position) { raw throws(KeyspaceError) in
            _ = unsafe try delete(raw, in: tables.history)
        }
        if KeyName.isLong(key) { try removeLongKey(key) }
        var chunk: UInt32 = 0
        while try unsafe withRaw(
            of: RecordKey(position, chunk: chunk),
            { raw throws(KeyspaceError) in unsafe try delete(raw, in: tables.records) })
        {
            chunk += 1
        }
    }
}
