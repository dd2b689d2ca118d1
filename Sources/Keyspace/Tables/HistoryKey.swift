import Basics

/// Key of the history index: the key's name, a zero byte, revision and sub big-endian.
///
/// Names have 0xff after every zero byte, or end in the mark and hash of a long key. A revision
/// is positive, so that the byte after the terminating zero is below 0x80: entries sort by key
/// and then by position, and no key's entries stand between those of another.
enum HistoryKey {
    static let suffixBytes = 13
    static let bytesMax = KeyName.bytesMax + suffixBytes

    /// Calls `body` with the index key of `key` at `position`, which lives on the stack.
    static func with<Value>(
        _ key: Bytes, _ position: RecordPosition,
        _ body: (UnsafeRawBufferPointer) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        try unsafe KeyName.with(key, room: suffixBytes) { buffer, count throws(KeyspaceError) in
            unsafe write(position, to: buffer, at: count)
            return unsafe try body(
                UnsafeRawBufferPointer(rebasing: buffer[..<(count + suffixBytes)]))
        }
    }

    /// The index key of the key of `name` at `position`.
    static func key(ofName name: Bytes, _ position: RecordPosition) -> Bytes {
        var key = name + Bytes(repeating: 0, count: suffixBytes)
        unsafe key.withUnsafeMutableBytes { raw in
            unsafe write(position, to: raw, at: name.count)
        }
        return key
    }

    /// A bound above all entries of the key of `name`, and below all others after them.
    static func end(ofName name: Bytes) -> Bytes {
        key(ofName: name, RecordPosition(revision: Int64.max, sub: UInt32.max))
    }

    private static func write(
        _ position: RecordPosition, to buffer: UnsafeMutableRawBufferPointer, at count: Int
    ) {
        unsafe buffer[count] = 0
        unsafe buffer.storeBytes(
            of: position.revision.bigEndian, toByteOffset: count + 1, as: Int64.self)
        unsafe buffer.storeBytes(
            of: position.sub.bigEndian, toByteOffset: count + 9, as: UInt32.self)
    }

    /// The key's name in an index key; nil when it is none.
    static func name(of raw: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard raw.count > suffixBytes else { return nil }
        return unsafe UnsafeRawBufferPointer(rebasing: raw[..<(raw.count - suffixBytes)])
    }

    static func position(of raw: UnsafeRawBufferPointer) -> RecordPosition {
        let revision = unsafe raw.loadUnaligned(
            fromByteOffset: raw.count - 12, as: Int64.self)
        let sub = unsafe raw.loadUnaligned(fromByteOffset: raw.count - 4, as: UInt32.self)
        return RecordPosition(revision: Int64(bigEndian: revision), sub: UInt32(bigEndian: sub))
    }
}
