import Basics
import CZlib

/// One buffer at a time through zlib.
enum Zlib {
    /// For what is worth it: most of what JSON and protobuf give at a fraction of the time.
    private static let level: Int32 = 1
    /// Only wrapped.
    private static let levelOfNone: Int32 = 0
    /// The beginning of a buffer stands for the rest.
    private static let sampleBytes = 4096

    /// Buffers that would give little are not compressed, as that takes the longest: a replica
    /// under load would spend more on its snapshots than on the load.
    static func compress(_ raw: Bytes) throws(KeyspaceError) -> Bytes {
        var level = level
        if raw.count > 2 * sampleBytes {
            let sample = try compress(Bytes(raw[..<sampleBytes]), level: level)
            if sample.count > sampleBytes * 2 / 3 { level = levelOfNone }
        }
        return try compress(raw, level: level)
    }

    private static func compress(_ raw: Bytes, level: Int32) throws(KeyspaceError) -> Bytes {
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
