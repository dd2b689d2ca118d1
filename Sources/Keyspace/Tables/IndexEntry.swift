import Basics

/// Value of the current and the history index: everything about a put but its value. In `current`
/// it is these 56 bytes, little-endian, so that an update changes it in place;
/// docs/formats/keyspace.md.
struct IndexEntry: BitwiseCopyable, Sendable {
    static let bytes = 56
    static let deleteFlag: UInt32 = 1

    var revision: Int64
    var createRevision: Int64
    var version: Int64
    var lease: Int64
    /// `RecordHash` of the record, which binds the value to the entry.
    var recordHash: UInt64
    var sub: UInt32
    var valueBytes: UInt32
    var flags: UInt32 = 0
    /// CRC32C of the index key and the fields above.
    var checksum: UInt32 = 0

    init(_ position: RecordPosition, _ header: RecordHeader, hash: UInt64) {
        revision = position.revision
        createRevision = header.createRevision
        version = header.version
        lease = header.lease
        recordHash = hash
        sub = position.sub
        valueBytes = header.valueBytes
        flags = header.isDelete ? Self.deleteFlag : 0
    }

    var position: RecordPosition { RecordPosition(revision: revision, sub: sub) }
    var isDelete: Bool { flags & Self.deleteFlag != 0 }

    /// The state without its value.
    func keyValue(_ key: Bytes) -> KeyValue {
        KeyValue(
            key: key, value: [], createRevision: createRevision, modRevision: revision,
            version: version, lease: lease)
    }

    /// The checksum that belongs to the entry under this index key.
    func checksum(under key: UnsafeRawBufferPointer) -> UInt32 {
        let start = unsafe CRC32C.checksum(key)
        return unsafe withUnsafeBytes(of: self) { raw in
            unsafe CRC32C.checksum(
                UnsafeRawBufferPointer(rebasing: raw[..<(Self.bytes - 4)]), continuing: start)
        }
    }

    /// Decodes and verifies; throws `corrupt` naming table and key.
    static func decode(
        _ raw: UnsafeRawBufferPointer, under key: UnsafeRawBufferPointer, in table: TableName
    ) throws(KeyspaceError) -> IndexEntry {
        // Format 2 had the same in both tables.
        if raw.count == bytes {
            let entry = unsafe raw.loadUnaligned(as: IndexEntry.self)
            if unsafe entry.checksum == entry.checksum(under: key) { return entry }
        } else if table == .history, let entry = unsafe IndexEntry(packed: raw, under: key) {
            return entry
        }
        throw unsafe KeyspaceError(damaged: table, key, "the entry fails its checksum")
    }
}
