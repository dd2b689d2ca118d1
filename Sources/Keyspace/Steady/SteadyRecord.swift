import Basics
import LMDB

/// A durable copy of a meta page whose trees are durable too: what the keyspace file can be set
/// back to after the operating system crashed. docs/formats/keyspace.md has its bytes.
struct SteadyRecord: Sendable, Hashable {
    static let formatVersion: UInt32 = 1
    /// Fits a sector, so that writing it is never seen half done.
    static let bytes = 260

    /// The opening of the file that pins the pages (`BootMark`).
    var opening: UInt64
    /// The file was at least so long.
    var fileBytes: UInt64
    var meta: MetaPage
    /// The state record that the trees hold.
    var stored: StoredState

    func encode() -> Bytes {
        var writer = ByteWriter(reserving: Self.bytes)
        writer.writeLittleEndian(UInt32(0))
        writer.writeLittleEndian(Self.formatVersion)
        writer.writeLittleEndian(opening)
        writer.writeLittleEndian(fileBytes)
        writer.write(meta.content)
        writer.write(stored.encode())
        precondition(writer.count == Self.bytes)
        writer.patchLittleEndian(CRC32C.checksum(writer.bytes[4...]), at: 0)
        return writer.bytes
    }

    init(opening: UInt64, fileBytes: UInt64, meta: MetaPage, stored: StoredState) {
        self.opening = opening
        self.fileBytes = fileBytes
        self.meta = meta
        self.stored = stored
    }

    /// nil for anything that is not whole.
    init?(decoding bytes: Bytes) {
        var reader = ByteReader(bytes)
        guard bytes.count == Self.bytes,
            let checksum: UInt32 = try? reader.readLittleEndian("checksum"),
            checksum == CRC32C.checksum(bytes[4...]),
            let version: UInt32 = try? reader.readLittleEndian("format"),
            version == Self.formatVersion,
            let opening: UInt64 = try? reader.readLittleEndian("opening"),
            let fileBytes: UInt64 = try? reader.readLittleEndian("file"),
            let meta = MetaPage(Bytes(bytes[24..<(24 + MetaPage.bytes)])),
            let stored = try? StoredState(decoding: Bytes(bytes[(24 + MetaPage.bytes)...]))
        else { return nil }
        self.init(opening: opening, fileBytes: fileBytes, meta: meta, stored: stored)
    }
}
