import Basics

/// Key of the history index: the store's key escaped, a zero byte, revision and sub big-endian.
///
/// Escaping writes 0xff after every zero byte. A revision is positive, so that the byte after
/// the terminating zero is below 0x80: entries sort by key and then by position, and no key's
/// entries stand between those of another.
enum HistoryKey {
    static let suffixBytes = 13
    static let bytesMax = Limits.keyBytesMax + suffixBytes

    /// Bytes of the escaped key.
    static func escapedCount(_ key: Bytes) -> Int {
        var zeros = 0
        for byte in key where byte == 0 { zeros += 1 }
        return key.count + zeros
    }

    static func isStorable(_ key: Bytes) -> Bool {
        key.count <= Limits.keyBytesMax && escapedCount(key) <= Limits.keyBytesMax
    }

    /// Calls `body` with the index key of `key` at `position`, which lives on the stack.
    static func with<Value>(
        _ key: Bytes, _ position: RecordPosition,
        _ body: (UnsafeRawBufferPointer) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        try unsafe withEscaped(key) { buffer, count throws(KeyspaceError) in
            unsafe buffer[count] = 0
            unsafe buffer.storeBytes(
                of: position.revision.bigEndian, toByteOffset: count + 1, as: Int64.self)
            unsafe buffer.storeBytes(
                of: position.sub.bigEndian, toByteOffset: count + 9, as: UInt32.self)
            return unsafe try body(
                UnsafeRawBufferPointer(rebasing: buffer[..<(count + suffixBytes)]))
        }
    }

    /// Calls `body` with a bound that is not above any entry of `key` or of keys after it, and
    /// above all entries of keys before it.
    static func withLowerBound<Value>(
        _ key: Bytes, _ body: (UnsafeRawBufferPointer) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        try unsafe withEscaped(key) { buffer, count throws(KeyspaceError) in
            unsafe try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// The store's key of an index key.
    static func key(of raw: UnsafeRawBufferPointer) -> Bytes {
        let escaped = unsafe UnsafeRawBufferPointer(rebasing: raw[..<(raw.count - suffixBytes)])
        if unsafe !escaped.contains(0) { return unsafe Bytes(escaped) }
        var key = Bytes()
        key.reserveCapacity(escaped.count)
        var index = 0
        while index < escaped.count {
            key.append(unsafe escaped[index])
            index += unsafe escaped[index] == 0 ? 2 : 1
        }
        return key
    }

    static func position(of raw: UnsafeRawBufferPointer) -> RecordPosition {
        let revision = unsafe raw.loadUnaligned(
            fromByteOffset: raw.count - 12, as: Int64.self)
        let sub = unsafe raw.loadUnaligned(fromByteOffset: raw.count - 4, as: UInt32.self)
        return RecordPosition(revision: Int64(bigEndian: revision), sub: UInt32(bigEndian: sub))
    }

    private static func withEscaped<Value>(
        _ key: Bytes,
        _ body: (UnsafeMutableRawBufferPointer, Int) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        // Keys asked for may be longer than keys that can be stored.
        let bytes = 2 * key.count + suffixBytes
        let result = unsafe withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 1) {
            buffer -> Result<Value, KeyspaceError> in
            var count = 0
            for byte in key {
                unsafe buffer[count] = byte
                count += 1
                if byte == 0 {
                    unsafe buffer[count] = 0xff
                    count += 1
                }
            }
            do throws(KeyspaceError) {
                return .success(unsafe try body(buffer, count))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
