/// The answer to a range: whole if it is small, else in pieces, so that nobody has to hold it.
package enum RangeAnswer: Sendable {
    case whole(RangeResponse)
    case pieces(any RangePieces)

    /// Bytes that a key takes in the answer; key and value are not in `keyValue`, so that nothing
    /// is copied to be measured.
    package typealias Measure =
        @Sendable (_ keyValue: KeyValue, _ keyBytes: Int, _ valueBytes: Int) -> Int

    /// By the measure: a larger answer comes in pieces. More than any one key takes.
    package static let wholeBytesMax = 2 << 20
    /// What the keys of an answer may take that is in another order than that of keys, and with it
    /// the values if it is in theirs: all of them have to be held to be sorted.
    package static let sortedBytesMax = 64 << 20
}

/// What is known of an answer before its first piece.
package struct RangeSummary: Sendable, Hashable {
    /// The store's revision when the range was read.
    package var revision: Int64
    package var more: Bool
    /// Keys in the range, whatever limit and filters.
    package var count: Int64
    /// Sum of the measure over all keys of the answer.
    package var bytes: Int
}

/// The keys of an answer in order, at one revision.
///
/// Nothing is held between two pieces: a slow reader costs nothing, and a compaction that overtakes
/// it makes the next piece fail.
package protocol RangePieces: Sendable {
    var summary: RangeSummary { get }
    /// Answers with the next keys, about `bytesMax` bytes of them and at least one; with none at
    /// the end. One call at a time. After an error nothing follows.
    func next(
        bytesMax: Int, _ done: @escaping @Sendable (Result<[KeyValue], StoreError>) -> Void)
}

extension StoreError {
    package static let sortTooLarge = StoreError(
        .overloaded, "martlet: too many keys to sort: ask for fewer, or in ascending order of keys")
}
