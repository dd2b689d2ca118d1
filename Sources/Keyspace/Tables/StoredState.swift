import Basics

/// The meta record `state`: where the keyspace stands. Written by every transaction that
/// changes anything; docs/formats/keyspace.md.
struct StoredState: Sendable, Hashable {
    static let name = "state"
    static let formatVersion: UInt32 = 2

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

    var isCompacting: Bool { compactDone < state.compactRevision }

    func encode() -> Bytes {
        var writer = ByteWriter(reserving: 84)
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
        var newer: UInt32?
        do throws(DecodingFailure) {
            var reader = ByteReader(bytes)
            let checksum: UInt32 = try reader.readLittleEndian("state checksum")
            let version: UInt32 = try reader.readLittleEndian("keyspace format")
            guard checksum == CRC32C.checksum(bytes[4...]) else {
                throw reader.failure("state", "checksum does not match")
            }
            if version != Self.formatVersion {
                newer = version
                throw reader.failure("keyspace format", "not known")
            }
            state.appliedIndex = try reader.readLittleEndian("applied index")
            state.appliedTerm = try reader.readLittleEndian("applied term")
            state.revision = try reader.readRevision("revision")
            state.compactRevision = try reader.readRevision("compact revision")
            compactEnd = try reader.readRevision("compact end")
            compactDone = try reader.readRevision("compact done")
            compactScan.revision = try reader.readRevision("compact scan")
            compactScan.sub = try reader.readLittleEndian("compact scan sub")
            contentHash = try reader.readLittleEndian("content hash")
            changesHash = try reader.readLittleEndian("changes hash")
            try reader.expectEnd("state")
        } catch {
            if let newer {
                throw KeyspaceError(
                    .foreignFormat,
                    "keyspace format \(newer); this program knows \(Self.formatVersion)")
            }
            throw KeyspaceError(.corrupt, "table meta, key state: \(error)")
        }
    }
}

extension ByteReader {
    fileprivate mutating func readRevision(_ field: String) throws(DecodingFailure) -> Int64 {
        let bits: UInt64 = try readLittleEndian(field)
        guard bits <= UInt64(Int64.max) else { throw failure(field, "negative") }
        return Int64(bits)
    }
}
