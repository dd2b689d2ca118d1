/// Begins the first chunk of a record: 56 bytes, little-endian; docs/formats/keyspace.md.
struct RecordHeader: BitwiseCopyable {
    static let bytes = 56
    /// One chunk whole: two fit a page of 4 KiB without overflow pages.
    static let chunkBytesMax = 2000
    /// Later chunks begin with their checksum only.
    static let checksumBytes = 4
    /// Of the content, which is the key and behind it the value, in the first chunk and in others.
    static let firstContentBytes = chunkBytesMax - bytes
    static let laterContentBytes = chunkBytesMax - checksumBytes
    static let deleteFlag: UInt16 = 1

    /// CRC32C of the record key and the chunk after this field.
    var checksum: UInt32 = 0
    var flags: UInt16 = 0
    var keyBytes: UInt16
    /// Revisions of the same commit that follow this one.
    var following: UInt32
    var valueBytes: UInt32
    var createRevision: Int64
    var version: Int64
    var lease: Int64
    var previousRevision: Int64
    var previousSub: UInt32
    var reserved: UInt32 = 0

    var isDelete: Bool { flags & Self.deleteFlag != 0 }
    /// The put that this change replaced or deleted; `none` for the put that made the key.
    var previous: RecordPosition {
        RecordPosition(revision: previousRevision, sub: previousSub)
    }
    var contentBytes: Int { Int(keyBytes) + Int(valueBytes) }

    /// Whether there is a revision where the commit of a record at `revision` ends.
    func hasCommitEnd(at revision: Int64) -> Bool {
        !revision.addingReportingOverflow(Int64(following)).overflow
    }

    /// Chunks that `count` bytes of content take, the first one included.
    static func chunks(ofContentBytes count: Int) -> Int {
        1 + (max(0, count - firstContentBytes) + laterContentBytes - 1) / laterContentBytes
    }
}
