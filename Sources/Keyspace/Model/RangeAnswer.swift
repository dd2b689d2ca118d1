package import Basics

/// The answer to a range as its client gets it: whole if it is small, else in pieces, so that
/// nobody has to hold it.
package enum RangeAnswer: Sendable {
    case whole(RangeSummary, Bytes)
    case pieces(any RangePieces)

    /// A larger answer comes in pieces. More than any one key takes.
    package static let wholeBytesMax = 2 << 20
    /// What the keys of an answer may take that is in another order than that of keys, and with it
    /// the values if it is in theirs: all of them have to be held to be sorted.
    package static let sortedBytesMax = 64 << 20
}

/// What an answer has beside its keys.
package struct RangeSummary: Sendable, Hashable {
    /// The store's revision when the range was read.
    package var revision: Int64
    package var more: Bool
    /// Keys in the range, whatever limit and filters.
    package var count: Int64
    /// Of all keys of the answer, encoded.
    package var bytes: Int

    package init(revision: Int64, more: Bool, count: Int64, bytes: Int) {
        self.revision = revision
        self.more = more
        self.count = count
        self.bytes = bytes
    }
}

/// How keys are written into an answer, straight from the keyspace's file: first `begin`, then the
/// value, and then `end`. Key and value are not in `state`.
package protocol RangeEncoding: Sendable {
    /// Whether count and bytes of an answer are wanted before its keys. That takes a pass over them
    /// if the answer is large.
    var wantsTotalsFirst: Bool { get }
    /// Bytes that a key takes with its value. No more are written.
    func bytes(_ state: KeyValue, keyBytes: Int, valueBytes: Int) -> Int
    func begin(
        _ state: KeyValue, key: UnsafeRawBufferPointer, valueBytes: Int,
        in writer: inout MeasuredWriter)
    func end(_ state: KeyValue, in writer: inout MeasuredWriter)
}

extension RangeEncoding {
    /// Keys that somebody holds.
    package func encode(_ keyValues: [KeyValue]) -> Bytes {
        let measure = keyValues.reduce(0) { sum, keyValue in
            let (key, value) = (keyValue.key.count, keyValue.value.count)
            return sum + bytes(keyValue, keyBytes: key, valueBytes: value)
        }
        return Bytes.written(measure: measure) { writer in
            for keyValue in keyValues {
                unsafe keyValue.key.withUnsafeBytes { key in
                    unsafe begin(
                        keyValue, key: key, valueBytes: keyValue.value.count, in: &writer)
                }
                unsafe keyValue.value.withUnsafeBytes { value in
                    unsafe writer.write(raw: value)
                }
                end(keyValue, in: &writer)
            }
        }
    }
}

/// The keys of an answer in order, at one revision.
///
/// Nothing is held between two pieces: a slow reader costs nothing, and a compaction that overtakes
/// it makes the next piece fail.
package protocol RangePieces: Sendable {
    /// Count and bytes may be those of the keys located so far, if the encoding does not want them
    /// first.
    var summary: RangeSummary { get }
    /// Answers with the next keys, encoded, at most `bytesMax` bytes of them or one key; with
    /// nothing at the end. After an error nothing follows.
    ///
    /// - Parameter located: called before `done` once it is known where the piece ends, if there is
    ///   one. From then on, and not before, the next piece may be asked for: the values of both are
    ///   read at the same time, and the one that is asked for first may be answered last.
    func next(
        bytesMax: Int, located: @escaping @Sendable () -> Void,
        _ done: @escaping @Sendable (Result<Bytes, StoreError>) -> Void)
}

extension StoreError {
    package static let sortTooLarge = StoreError(
        .overloaded, "martlet: too many keys to sort: ask for fewer, or in ascending order of keys")
}
