import Basics

/// Numbers and parts of the snapshot format; docs/formats/snapshot.md.
enum SnapshotFormat {
    static let magic = Bytes("MRTLSNAP".utf8)
    static let version: UInt32 = 1
    /// Magic, format version and length of the header fields.
    static let preambleBytes = 16
    static let headerBytesMax = 1 << 20
    /// Content of one chunk before compression; a single entry may exceed it.
    static let chunkBytes = 256 << 10
    static let chunkBytesMax = 64 << 20
    static let dataTag: UInt8 = 1
    static let endTag: UInt8 = 2
    /// Tag, length, entries and hash, and the checksum over them.
    static let trailerBytes = 29

    enum Table: UInt8 {
        case records = 1
        case leases = 2
    }

    /// The first bytes of the file, checksum included.
    static func encode(_ header: SnapshotHeader, _ stored: StoredState) -> Bytes {
        var fields = ByteWriter()
        fields.writeLittleEndian(header.clusterID)
        let state = stored.encode()
        fields.writeCounted(state)
        fields.writeCounted(header.membership)
        var writer = ByteWriter()
        writer.write(magic)
        writer.writeLittleEndian(version)
        writer.writeLittleEndian(UInt32(fields.count))
        writer.write(fields.bytes)
        writer.writeLittleEndian(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    static func decodeFields(
        _ fields: Bytes
    ) throws(KeyspaceError) -> (SnapshotHeader, StoredState) {
        let (clusterID, state, membership): (UInt64, Bytes, Bytes)
        do throws(DecodingFailure) {
            var reader = ByteReader(fields)
            clusterID = try reader.readLittleEndian("cluster id")
            state = try reader.readCounted("state")
            membership = try reader.readCounted("membership")
            try reader.expectEnd("snapshot header")
        } catch {
            throw KeyspaceError(.badSnapshot, "snapshot header: \(error)")
        }
        let stored = try StoredState(decoding: state)
        let header = SnapshotHeader(
            clusterID: clusterID, index: stored.state.appliedIndex,
            term: stored.state.appliedTerm, revision: stored.state.revision,
            compactRevision: stored.state.compactRevision, membership: membership)
        return (header, stored)
    }
}

/// FNV-1a of 64 bits over everything before the trailer: with every chunk's CRC32C it tells a
/// chunk that was left out, repeated or moved.
struct SnapshotHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: Bytes) {
        var value = self.value
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        self.value = value
    }
}
