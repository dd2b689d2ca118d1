package import Basics
package import Keyspace

/// How much of which snapshot the receiver has; index 0 and offset 0 for nothing.
/// docs/formats/peer-protocol.md.
package struct SnapshotResumePoint: Sendable, Hashable {
    package var identity: SnapshotFile.Identity
    package var offset: UInt64

    package static let nothing = SnapshotResumePoint(
        identity: SnapshotFile.Identity(index: 0, headerChecksum: 0), offset: 0)

    package init(identity: SnapshotFile.Identity, offset: UInt64) {
        self.identity = identity
        self.offset = offset
    }

    package func encoded() -> Bytes {
        var writer = ByteWriter(reserving: 20)
        writer.writeLittleEndian(identity.index)
        writer.writeLittleEndian(identity.headerChecksum)
        writer.writeLittleEndian(offset)
        return writer.bytes
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        let index: UInt64 = try reader.readLittleEndian("snapshot index")
        let checksum: UInt32 = try reader.readLittleEndian("snapshot header checksum")
        offset = try reader.readLittleEndian("snapshot offset")
        try reader.expectEnd("resume point")
        identity = SnapshotFile.Identity(index: index, headerChecksum: checksum)
    }
}
