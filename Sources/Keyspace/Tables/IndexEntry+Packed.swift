import Basics

/// How `history` holds an entry: what its table key says is left out, and numbers that are small
/// as a rule take the bytes that they need; docs/formats/keyspace.md. History has an entry for each
/// change that is retained, and its size is most of what a file takes beside keys and values.
extension IndexEntry {
    private static let fixedBytes = 13
    /// Four numbers behind what is fixed. Less than `bytes`, which tells an entry of format 2.
    private static let packedBytesMax = fixedBytes + 4 * 10

    /// Calls `body` with the entry as it stands under its key in `history`.
    func withPacked<Value>(
        under key: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        let result = unsafe withUnsafeTemporaryAllocation(
            byteCount: Self.packedBytesMax, alignment: 8
        ) { buffer -> Result<Value, KeyspaceError> in
            let count = unsafe pack(into: buffer)
            let packed = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
            let sum = unsafe Self.checksum(ofPacked: packed, under: key)
            unsafe buffer.storeBytes(of: sum.littleEndian, as: UInt32.self)
            do throws(KeyspaceError) { return .success(unsafe try body(packed)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func pack(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        unsafe buffer.storeBytes(of: recordHash.littleEndian, toByteOffset: 4, as: UInt64.self)
        unsafe buffer[12] = UInt8(truncatingIfNeeded: flags)
        var count = Self.fixedBytes
        let numbers = (
            UInt64(bitPattern: revision &- createRevision), UInt64(bitPattern: version),
            UInt64(bitPattern: lease), UInt64(valueBytes)
        )
        unsafe Self.write(numbers.0, to: buffer, at: &count)
        unsafe Self.write(numbers.1, to: buffer, at: &count)
        unsafe Self.write(numbers.2, to: buffer, at: &count)
        unsafe Self.write(numbers.3, to: buffer, at: &count)
        return count
    }

    private static func write(
        _ value: UInt64, to buffer: UnsafeMutableRawBufferPointer, at count: inout Int
    ) {
        var rest = value
        while rest >= 0x80 {
            unsafe buffer[count] = UInt8(truncatingIfNeeded: rest) | 0x80
            count += 1
            rest >>= 7
        }
        unsafe buffer[count] = UInt8(truncatingIfNeeded: rest)
        count += 1
    }

    /// Nil if these are not the bytes of one entry under this key.
    init?(packed raw: UnsafeRawBufferPointer, under key: UnsafeRawBufferPointer) {
        guard raw.count > Self.fixedBytes, raw.count <= Self.packedBytesMax,
            key.count > HistoryKey.suffixBytes,
            unsafe UInt32(littleEndian: raw.loadUnaligned(as: UInt32.self))
                == Self.checksum(ofPacked: raw, under: key)
        else { return nil }
        var offset = Self.fixedBytes
        guard let age = unsafe Self.read(raw, at: &offset),
            let version = unsafe Self.read(raw, at: &offset),
            let lease = unsafe Self.read(raw, at: &offset),
            let value = unsafe Self.read(raw, at: &offset),
            let valueBytes = UInt32(exactly: value), offset == raw.count
        else { return nil }
        let position = unsafe HistoryKey.position(of: key)
        revision = position.revision
        sub = position.sub
        createRevision = position.revision &- Int64(bitPattern: age)
        self.version = Int64(bitPattern: version)
        self.lease = Int64(bitPattern: lease)
        self.valueBytes = valueBytes
        recordHash = unsafe UInt64(
            littleEndian: raw.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
        flags = unsafe UInt32(raw[12])
        checksum = 0
    }

    private static func read(_ raw: UnsafeRawBufferPointer, at offset: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < raw.count, shift < 64 {
            let byte = unsafe raw[offset]
            offset += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// Of the table key, which holds the position, and of all behind the checksum.
    private static func checksum(
        ofPacked raw: UnsafeRawBufferPointer, under key: UnsafeRawBufferPointer
    ) -> UInt32 {
        unsafe CRC32C.checksum(
            UnsafeRawBufferPointer(rebasing: raw[4...]), continuing: CRC32C.checksum(key))
    }
}
