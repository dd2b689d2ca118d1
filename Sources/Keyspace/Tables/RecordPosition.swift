/// Where a change stands in history: revision, and number within the revision.
struct RecordPosition: Sendable, Hashable, Comparable {
    var revision: Int64
    var sub: UInt32

    static let none = RecordPosition(revision: 0, sub: 0)

    /// Above every change of a revision, and of those before.
    static func end(of revision: Int64) -> RecordPosition {
        RecordPosition(revision: revision == Int64.max ? revision : revision + 1, sub: 0)
    }

    static func < (left: RecordPosition, right: RecordPosition) -> Bool {
        (left.revision, left.sub) < (right.revision, right.sub)
    }
}

/// Key of the record table: position and chunk number, big-endian, so that records sort by
/// position. 16 bytes.
struct RecordKey: BitwiseCopyable {
    private let revisionBigEndian: Int64
    private let subBigEndian: UInt32
    private let chunkBigEndian: UInt32

    static let bytes = 16

    init(_ position: RecordPosition, chunk: UInt32 = 0) {
        revisionBigEndian = position.revision.bigEndian
        subBigEndian = position.sub.bigEndian
        chunkBigEndian = chunk.bigEndian
    }

    init?(_ raw: UnsafeRawBufferPointer) {
        guard raw.count == Self.bytes else { return nil }
        self = unsafe raw.loadUnaligned(as: RecordKey.self)
    }

    var position: RecordPosition {
        RecordPosition(
            revision: Int64(bigEndian: revisionBigEndian), sub: UInt32(bigEndian: subBigEndian))
    }
    var chunk: UInt32 { UInt32(bigEndian: chunkBigEndian) }
}
