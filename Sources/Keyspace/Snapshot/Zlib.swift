import Basics
import CZlib

/// One buffer at a time through zlib.
enum Zlib {
    /// Low levels: most of what JSON gives at a fraction of the time.
    private static let level: Int32 = 4

    static func compress(_ raw: Bytes) throws(KeyspaceError) -> Bytes {
        let bound = Int(compressBound(uLong(raw.count)))
        var result = Z_OK
        let packed = unsafe Bytes(unsafeUninitializedCapacity: bound) { buffer, count in
            var length = uLongf(bound)
            unsafe result = compress2(
                buffer.baseAddress, &length, raw, uLong(raw.count), level)
            count = result == Z_OK ? Int(length) : 0
        }
        guard result == Z_OK else { throw KeyspaceError(.inputOutput, "zlib error \(result)") }
        return packed
    }

    /// Nil when the bytes are not what compressing `count` bytes gave.
    static func decompress(_ packed: Bytes, count: Int) -> Bytes? {
        var isComplete = false
        let raw = unsafe Bytes(unsafeUninitializedCapacity: count) { buffer, filled in
            var length = uLongf(count)
            let result = unsafe uncompress(
                buffer.baseAddress, &length, packed, uLong(packed.count))
            isComplete = result == Z_OK && Int(length) == count
            filled = isComplete ? count : 0
        }
        return isComplete ? raw : nil
    }
}
