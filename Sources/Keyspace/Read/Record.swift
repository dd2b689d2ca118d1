import Basics

/// One change as the record table has it.
struct Record: Sendable {
    var position: RecordPosition
    var header: RecordHeader
    var key: Bytes
    /// Empty unless it was asked for, and for deletes.
    var value: Bytes

    /// The end of the commit that the record belongs to.
    var commitEnd: Int64 { position.revision + Int64(header.following) }

    var keyValue: KeyValue {
        KeyValue(
            key: key, value: value, createRevision: header.createRevision,
            modRevision: position.revision, version: header.version, lease: header.lease)
    }
}

extension StateView {
    /// Decodes and verifies a first chunk.
    private func header(
        _ chunk: UnsafeRawBufferPointer, _ key: RecordKey
    ) throws(KeyspaceError) -> RecordHeader {
        if unsafe chunk.count >= RecordHeader.bytes && isIntact(chunk, key) {
            let header = unsafe chunk.loadUnaligned(as: RecordHeader.self)
            if chunk.count
                == RecordHeader.bytes + Int(header.keyBytes) + header.firstChunkValueBytes
            {
                return header
            }
        }
        throw Self.damaged(key)
    }

    func isIntact(_ chunk: UnsafeRawBufferPointer, _ key: RecordKey) -> Bool {
        guard chunk.count >= RecordHeader.checksumBytes else { return false }
        let start = unsafe withUnsafeBytes(of: key) { unsafe CRC32C.checksum($0) }
        let body = unsafe UnsafeRawBufferPointer(
            rebasing: chunk[RecordHeader.checksumBytes...])
        return unsafe CRC32C.checksum(body, continuing: start)
            == chunk.loadUnaligned(as: UInt32.self)
    }

    static func damaged(_ key: RecordKey) -> KeyspaceError {
        let record = "record \(key.position.revision).\(key.position.sub)"
        return KeyspaceError(.corrupt, "\(record) chunk \(key.chunk) fails its checksum")
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

    /// Decodes a record from its first chunk, and fetches the others.
    func decode(
        _ chunk: UnsafeRawBufferPointer, _ recordKey: RecordKey, withValue: Bool
    ) throws(KeyspaceError) -> Record {
        let header = unsafe try header(chunk, recordKey)
        let valueStart = RecordHeader.bytes + Int(header.keyBytes)
        let key = unsafe Bytes(
            UnsafeRawBufferPointer(rebasing: chunk[RecordHeader.bytes..<valueStart]))
        let value = withValue ? unsafe try value(chunk, recordKey, header) : []
        return Record(position: recordKey.position, header: header, key: key, value: value)
    }

    /// Only the value of the put at a position, which the index says exists.
    func value(at position: RecordPosition) throws(KeyspaceError) -> Bytes {
        let recordKey = RecordKey(position)
        return unsafe try withRaw(of: recordKey) { raw throws(KeyspaceError) in
            guard let chunk = unsafe try get(raw, in: tables.records) else {
                throw KeyspaceError(
                    .corrupt, "record \(position.revision).\(position.sub) is missing")
            }
            return unsafe try value(chunk, recordKey, header(chunk, recordKey))
        }
    }

    /// Copies the value once, from the map.
    private func value(
        _ chunk: UnsafeRawBufferPointer, _ recordKey: RecordKey, _ header: RecordHeader
    ) throws(KeyspaceError) -> Bytes {
        let total = Int(header.valueBytes)
        if total == 0 { return [] }
        var failure: KeyspaceError?
        let value = unsafe Bytes(unsafeUninitializedCapacity: total) { buffer, initialized in
            let target = UnsafeMutableRawBufferPointer(buffer)
            unsafe target.copyMemory(
                from: UnsafeRawBufferPointer(
                    rebasing: chunk[(RecordHeader.bytes + Int(header.keyBytes))...]))
            initialized = header.firstChunkValueBytes
            var number: UInt32 = 1
            while initialized < total {
                do throws(KeyspaceError) {
                    unsafe initialized += try copyChunk(
                        RecordKey(recordKey.position, chunk: number), to: target,
                        at: initialized)
                } catch {
                    failure = error
                    return
                }
                number += 1
            }
        }
        if let failure { throw failure }
        return value
    }

    private func copyChunk(
        _ recordKey: RecordKey, to target: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(KeyspaceError) -> Int {
        unsafe try withRaw(of: recordKey) { raw throws(KeyspaceError) in
            guard let chunk = unsafe try get(raw, in: tables.records) else {
                throw Self.damaged(recordKey)
            }
            let count = chunk.count - RecordHeader.checksumBytes
            let expected = min(
                target.count - offset, RecordHeader.chunkBytesMax - RecordHeader.checksumBytes)
            guard count == expected, unsafe isIntact(chunk, recordKey) else {
                throw Self.damaged(recordKey)
            }
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: chunk[RecordHeader.checksumBytes...]))
            return count
        }
    }
}
