import Basics

/// What stands for a key of the store in the keys of tables, which LMDB limits to 511 bytes.
///
/// The key escaped, with 0xff after every zero byte, if that is short enough. Of a longer one the
/// first 440 bytes of that, 0xff and the first 16 bytes of the key's SHA-256; the table `longKeys`
/// has the key itself. Names sort as their keys do, except among long keys that have their first
/// 440 bytes in common: those stand together, and whoever walks over them sorts them.
/// docs/decisions/0008-long-keys.md says why.
enum KeyName {
    static let shortBytesMax = 440
    private static let hashBytes = 16
    static let bytesMax = shortBytesMax + 1 + hashBytes
    /// What long keys that stand together have in common: the beginning and the mark.
    static let bucketBytes = shortBytesMax + 1
    static let mark: UInt8 = 0xff

    static func isLong(_ name: UnsafeRawBufferPointer) -> Bool { name.count > shortBytesMax }

    /// Bytes of the escaped key.
    private static func escapedCount(_ key: Bytes) -> Int {
        var zeros = 0
        for byte in key where byte == 0 { zeros += 1 }
        return key.count + zeros
    }

    static func isLong(_ key: Bytes) -> Bool { escapedCount(key) > shortBytesMax }

    /// Calls `body` with a buffer that begins with the key's name and has `room` bytes behind it,
    /// and with the bytes of the name.
    static func with<Value>(
        _ key: Bytes, room: Int = 0,
        _ body: (UnsafeMutableRawBufferPointer, Int) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        let result = unsafe withUnsafeTemporaryAllocation(
            byteCount: bytesMax + room, alignment: 8
        ) { buffer -> Result<Value, KeyspaceError> in
            let count = unsafe write(key, to: buffer)
            do throws(KeyspaceError) {
                return .success(unsafe try body(buffer, count))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Calls `body` with the name of `key`.
    static func with<Value>(
        _ key: Bytes, _ body: (UnsafeRawBufferPointer) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        try unsafe with(key) { buffer, count throws(KeyspaceError) in
            unsafe try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// Calls `body` with a bound that is not above the name of `key` or of any key after it, and
    /// above the names of all short keys before it. Empty for the empty key.
    static func withLowerBound<Value>(
        _ key: Bytes, _ body: (UnsafeRawBufferPointer) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        try unsafe with(key) { buffer, count throws(KeyspaceError) in
            unsafe try body(
                UnsafeRawBufferPointer(rebasing: buffer[..<min(count, bucketBytes)]))
        }
    }

    /// Writes the name of `key`, and answers its length.
    private static func write(_ key: Bytes, to buffer: UnsafeMutableRawBufferPointer) -> Int {
        var count = 0
        for byte in key {
            if count == shortBytesMax { return unsafe writeHash(key, to: buffer) }
            unsafe buffer[count] = byte
            count += 1
            if byte == 0 {
                if count == shortBytesMax { return unsafe writeHash(key, to: buffer) }
                unsafe buffer[count] = 0xff
                count += 1
            }
        }
        return count
    }

    private static func writeHash(_ key: Bytes, to buffer: UnsafeMutableRawBufferPointer) -> Int {
        unsafe buffer[shortBytesMax] = mark
        let hash = SHA256.hash(key)
        for index in 0..<hashBytes { unsafe buffer[bucketBytes + index] = hash[index] }
        return bytesMax
    }

    /// Whether a short name is the key itself.
    static func isKey(_ name: UnsafeRawBufferPointer) -> Bool {
        unsafe shortKeyCount(name) == name.count
    }

    /// Bytes of the key that a short name stands for.
    static func shortKeyCount(_ name: UnsafeRawBufferPointer) -> Int {
        var escapes = 0
        for index in name.indices where unsafe name[index] == 0 { escapes += 1 }
        return name.count - escapes
    }

    /// The key that a short name stands for.
    static func shortKey(_ name: UnsafeRawBufferPointer) -> Bytes {
        if unsafe !name.contains(0) { return unsafe Bytes(name) }
        var key = Bytes()
        key.reserveCapacity(name.count)
        var index = 0
        while index < name.count {
            key.append(unsafe name[index])
            index += unsafe name[index] == 0 ? 2 : 1
        }
        return key
    }
}
