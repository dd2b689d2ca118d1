import Basics

/// The meta record `state`: where the keyspace stands. Written by every transaction that
/// changes anything; docs/formats/keyspace.md.
struct StoredState: Sendable, Hashable {
    static let name = "state"
    private static let rawName: StaticString = "state"
    static let bytes = 84
    static let formatVersion: UInt32 = 3
    /// What is written before stays readable: entries of history had another form in format 2.
    private static let formatsKnown: ClosedRange<UInt32> = 2...formatVersion

    var state = Keyspace.State()
    /// The end of the commit that holds the compact revision; a read at the compact revision
    /// sees the state as of here.
    var compactEnd: Int64 = 0
    /// Up to where compacted records are removed from the file.
    var compactDone: Int64 = 0
    /// The next record that the removal looks at.
    var compactScan = RecordPosition.none
    /// Sum of the hashes of the newest record of every key that exists, and of every lease.
    var contentHash: UInt64 = 0
    /// Hash of every change that there was, in order.
    var changesHash: UInt64 = 0

    /// What replicas compare at equal applied indexes; all of it is the same on all of them.
    var hash: UInt64 {
        var hash = contentHash
        for word in [
            changesHash, UInt64(bitPattern: state.revision),
            UInt64(bitPattern: state.compactRevision), UInt64(bitPattern: compactEnd),
        ] {
            hash = RecordHash.mix(hash ^ word)
        }
        return hash
    }

    /// Notes a change whose record has `hash`, in place of the newest one of its key.
    mutating func note(_ hash: UInt64, over old: UInt64?, isDelete: Bool) {
        changesHash = RecordHash.mix(changesHash ^ hash)
        contentHash &-= old ?? 0
        if !isDelete { contentHash &+= hash }
    }

    /// Notes that users, roles, or whether they count, are now so.
    mutating func noteAuth(_ blob: Bytes) {
        let checksum = UInt64(CRC32C.checksum(blob[...]))
        changesHash = RecordHash.mix(changesHash ^ checksum << 32 ^ UInt64(blob.count))
    }

    var isCompacting: Bool { compactDone < state.compactRevision }

    func encode() -> Bytes {
        var writer = ByteWriter(reserving: Self.bytes)
        writer.writeLittleEndian(UInt32(0))
        writer.writeLittleEndian(Self.formatVersion)
        writer.writeLittleEndian(state.appliedIndex)
        writer.writeLittleEndian(state.appliedTerm)
        writer.writeLittleEndian(UInt64(bitPattern: state.revision))
        writer.writeLittleEndian(UInt64(bitPattern: state.compactRevision))
        writer.writeLittleEndian(UInt64(bitPattern: compactEnd))
        writer.writeLittleEndian(UInt64(bitPattern: compactDone))
        writer.writeLittleEndian(UInt64(bitPattern: compactScan.revision))
        writer.writeLittleEndian(compactScan.sub)
        writer.writeLittleEndian(contentHash)
        writer.writeLittleEndian(changesHash)
        writer.patchLittleEndian(CRC32C.checksum(writer.bytes[4...]), at: 0)
        return writer.bytes
    }

    init() {}

    init(decoding bytes: Bytes) throws(KeyspaceError) {
        self = try unsafe withRaw(bytes) { raw throws(KeyspaceError) in
            try unsafe StoredState(decoding: raw)
        }
    }

    /// Every read begins with this.
    init(decoding raw: UnsafeRawBufferPointer) throws(KeyspaceError) {
        guard raw.count >= 8, unsafe Self.checksum(raw) == raw.loadUnaligned(as: UInt32.self) else {
            throw KeyspaceError(.corrupt, "table meta, key state: checksum does not match")
        }
        let version = unsafe raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        guard Self.formatsKnown ~= version else {
            throw KeyspaceError(
                .foreignFormat,
                "keyspace format \(version); this program knows \(Self.formatsKnown.lowerBound)"
                    + " to \(Self.formatVersion)")
        }
        guard raw.count == Self.bytes else {
            throw KeyspaceError(.corrupt, "table meta, key state: \(raw.count) bytes")
        }
        func word(_ offset: Int) -> UInt64 {
            unsafe UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        state.appliedIndex = word(8)
        state.appliedTerm = word(16)
        state.revision = Int64(bitPattern: word(24))
        state.compactRevision = Int64(bitPattern: word(32))
        compactEnd = Int64(bitPattern: word(40))
        compactDone = Int64(bitPattern: word(48))
        compactScan.revision = Int64(bitPattern: word(56))
        compactScan.sub = unsafe raw.loadUnaligned(fromByteOffset: 64, as: UInt32.self)
        contentHash = word(68)
        changesHash = word(76)
        guard
            min(state.revision, state.compactRevision, compactEnd, compactDone)
                >= 0, compactScan.revision >= 0
        else { throw KeyspaceError(.corrupt, "table meta, key state: a negative revision") }
    }

    static func withName<Value>(
        _ body: (UnsafeRawBufferPointer) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        unsafe try body(
            UnsafeRawBufferPointer(start: rawName.utf8Start, count: rawName.utf8CodeUnitCount))
    }

    private static func checksum(_ raw: UnsafeRawBufferPointer) -> UInt32 {
        unsafe CRC32C.checksum(UnsafeRawBufferPointer(rebasing: raw[4...]))
    }
}
