import Basics

/// One change as the record table has it.
struct Record: Sendable {
    var position: RecordPosition
    var header: RecordHeader
    var key: Bytes
    /// Empty unless it was asked for, and for deletes.
    var value: Bytes

    /// The end of the commit that the record belongs to; it was looked at when it was read.
    var commitEnd: Int64 { position.revision + Int64(header.following) }

    var keyValue: KeyValue {
        KeyValue(
            key: key, value: value, createRevision: header.createRevision,
            modRevision: position.revision, version: header.version, lease: header.lease)
    }
}

extension StateView {
    /// Decodes and verifies a first chunk.
    func header(
        _ chunk: UnsafeRawBufferPointer, _ key: RecordKey
    ) throws(KeyspaceError) -> RecordHeader {
        if unsafe chunk.count >= RecordHeader.bytes && isIntact(chunk, key) {
            let header = unsafe chunk.loadUnaligned(as: RecordHeader.self)
            let content = min(header.contentBytes, RecordHeader.firstContentBytes)
            if chunk.count == RecordHeader.bytes + content,
                header.hasCommitEnd(at: key.position.revision)
            {
                return header
            }
        }
        throw Self.damaged(key)
    }

    func isIntact(_ chunk: UnsafeRawBufferPointer, _ key: RecordKey) -> Bool {
        guard RecordHeader.checksumBytes...RecordHeader.chunkBytesMax ~= chunk.count else {
            return false
        }
        let start = unsafe withUnsafeBytes(of: key) { unsafe CRC32C.checksum($0) }
        let body = unsafe UnsafeRawBufferPointer(
            rebasing: chunk[RecordHeader.checksumBytes...])
        return unsafe CRC32C.checksum(body, continuing: start)
            == chunk.loadUnaligned(as: UInt32.self)
    }

    static func damaged(
        _ key: RecordKey, _ reason: String = "the chunk fails its checksum"
    ) -> KeyspaceError {
        var failure = unsafe withUnsafeBytes(of: key) { raw in
            unsafe KeyspaceError(damaged: .records, raw, reason)
        }
        failure.message =
            "table records, revision \(key.position.revision).\(key.position.sub),"
            + " chunk \(key.chunk): \(reason)"
        return failure
    }

    /// The record at a position; nil when there is none.
    func record(
        at position: RecordPosition, withValue: Bool = true
    ) throws(KeyspaceError) -> Record? {
        let recordKey = RecordKey(position)
        return unsafe try withRaw(of: recordKey) { raw throws(KeyspaceError) -> Record? in
            guard let chunk = unsafe try get(raw, in: tables.records) else { return nil }
            return unsafe try decode(chunk, recordKey, withValue: withValue)
        }
    }

    /// Decodes a record from its first chunk, and fetches the others that it needs.
    func decode(
        _ chunk: UnsafeRawBufferPointer, _ recordKey: RecordKey, withValue: Bool
    ) throws(KeyspaceError) -> Record {
        let header = unsafe try header(chunk, recordKey)
        let keyBytes = Int(header.keyBytes)
        var hash = RecordHash(recordKey.position)
        let key = unsafe try content(0..<keyBytes, chunk, recordKey, &hash)
        var value = Bytes()
        if withValue, header.valueBytes > 0 {
            unsafe value = try content(keyBytes..<header.contentBytes, chunk, recordKey, &hash)
        }
        return Record(position: recordKey.position, header: header, key: key, value: value)
    }

    /// Only the value of a put, which the index says exists and is this one.
    func value(of entry: IndexEntry) throws(KeyspaceError) -> Bytes {
        let recordKey = RecordKey(entry.position)
        return unsafe try withRaw(of: recordKey) { raw throws(KeyspaceError) in
            let chunk = unsafe try get(raw, in: tables.records)
            let (first, header) = unsafe try header(ofIndexed: chunk, recordKey)
            var hash = RecordHash(entry.position)
            let value = unsafe try content(
                Int(header.keyBytes)..<header.contentBytes, first, recordKey, &hash)
            try check(hash, of: entry)
            return value
        }
    }

    /// The same in parts as they lie in the map. The last is out before it is known whether the
    /// record is the one of the index: whoever gets an error forgets them.
    func visitValue(
        of entry: IndexEntry, _ records: borrowing TableCursor,
        _ visit: (UnsafeRawBufferPointer) -> Void
    ) throws(KeyspaceError) {
        let recordKey = RecordKey(entry.position)
        let chunk = unsafe try withRaw(of: recordKey) { raw throws(KeyspaceError) in
            unsafe try records.find(raw)
        }
        let (first, header) = unsafe try header(ofIndexed: chunk, recordKey)
        guard header.valueBytes == entry.valueBytes else { throw Self.notIndexed(recordKey) }
        var hash = RecordHash(entry.position)
        unsafe try visitContent(
            Int(header.keyBytes)..<header.contentBytes, first, recordKey, &hash, visit)
        try check(hash, of: entry)
    }

    private func header(
        ofIndexed chunk: UnsafeRawBufferPointer?, _ recordKey: RecordKey
    ) throws(KeyspaceError) -> (first: UnsafeRawBufferPointer, header: RecordHeader) {
        guard let chunk = unsafe chunk else {
            throw Self.damaged(recordKey, "the record is missing")
        }
        return unsafe (chunk, try header(chunk, recordKey))
    }

    private func check(_ hash: RecordHash, of entry: IndexEntry) throws(KeyspaceError) {
        guard hash.value == entry.recordHash else {
            throw Self.notIndexed(RecordKey(entry.position))
        }
    }

    private static func notIndexed(_ key: RecordKey) -> KeyspaceError {
        damaged(key, "the record is not the one of the index")
    }

    /// A whole record, verified, and its hash; nil when there is none.
    func hashed(
        at position: RecordPosition
    ) throws(KeyspaceError) -> (record: Record, hash: UInt64)? {
        let recordKey = RecordKey(position)
        return unsafe try withRaw(of: recordKey) {
            raw throws(KeyspaceError) -> (record: Record, hash: UInt64)? in
            guard let chunk = unsafe try get(raw, in: tables.records) else { return nil }
            let record = unsafe try decode(chunk, recordKey, withValue: false)
            var hash = RecordHash(position)
            let end = record.header.contentBytes
            _ = unsafe try content(end..<end, chunk, recordKey, &hash)
            return (record, hash.value)
        }
    }

    /// Copies a part of the content from the map.
    private func content(
        _ range: Range<Int>, _ first: UnsafeRawBufferPointer, _ recordKey: RecordKey,
        _ hash: inout RecordHash
    ) throws(KeyspaceError) -> Bytes {
        var failure: KeyspaceError?
        let copy = unsafe Bytes(unsafeUninitializedCapacity: range.count) { buffer, count in
            do throws(KeyspaceError) {
                unsafe try visitContent(range, first, recordKey, &hash) { part in
                    unsafe UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]
                    ).copyMemory(from: part)
                    count += part.count
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return copy
    }

    /// Visits the parts of a part of the content, which is the key and the value behind it, and
    /// verifies all chunks up to there. The first one is verified.
    private func visitContent(
        _ range: Range<Int>, _ first: UnsafeRawBufferPointer, _ recordKey: RecordKey,
        _ hash: inout RecordHash, _ visit: (UnsafeRawBufferPointer) -> Void
    ) throws(KeyspaceError) {
        let total = unsafe first.loadUnaligned(as: RecordHeader.self).contentBytes
        var part = unsafe UnsafeRawBufferPointer(rebasing: first[RecordHeader.bytes...])
        unsafe hash.add(checksum: first.loadUnaligned(as: UInt32.self), count: first.count)
        var offset = 0
        var number: UInt32 = 0
        while true {
            let low = max(range.lowerBound, offset)
            let high = min(range.upperBound, offset + part.count)
            if low < high {
                unsafe visit(
                    UnsafeRawBufferPointer(rebasing: part[(low - offset)..<(high - offset)]))
            }
            offset += part.count
            if offset >= range.upperBound { return }
            number += 1
            let key = RecordKey(recordKey.position, chunk: number)
            let chunk = unsafe try laterChunk(key, total - offset)
            unsafe hash.add(checksum: chunk.loadUnaligned(as: UInt32.self), count: chunk.count)
            unsafe part = UnsafeRawBufferPointer(
                rebasing: chunk[RecordHeader.checksumBytes...])
        }
    }

    /// A chunk behind the first, verified, of a record that has `left` bytes of content there.
    private func laterChunk(
        _ recordKey: RecordKey, _ left: Int
    ) throws(KeyspaceError) -> UnsafeRawBufferPointer {
        unsafe try withRaw(of: recordKey) { raw throws(KeyspaceError) in
            guard let chunk = unsafe try get(raw, in: tables.records) else {
                throw Self.damaged(recordKey, "the chunk is missing")
            }
            let expected = min(left, RecordHeader.laterContentBytes) + RecordHeader.checksumBytes
            guard chunk.count == expected, unsafe isIntact(chunk, recordKey) else {
                throw Self.damaged(recordKey)
            }
            return unsafe chunk
        }
    }
}
