package import Basics
import Glibc

/// A kind of chunked file, and the numbers that all kinds share; docs/formats/snapshot.md.
package struct ChunkedFile: Sendable {
    /// Eight bytes that such a file begins with.
    package var magic: Bytes
    package var version: UInt32
    /// What people call it.
    package var name: String

    package init(magic: String, version: UInt32, name: String) {
        self.magic = Bytes(magic.utf8)
        self.version = version
        self.name = name
    }

    /// Magic, format version and length of the header fields.
    static let preambleBytes = 16
    static let headerBytesMax = 1 << 20
    /// Content of one chunk before compression; a single entry may exceed it.
    package static let chunkBytes = 256 << 10
    static let chunkBytesMax = 96 << 20
    static let dataTag: UInt8 = 1
    static let endTag: UInt8 = 2
    /// Tag, number, length of the content and of its compressed form.
    static let chunkHeadBytes = 13
    /// Tag, length, entries and hash, and the checksum over them.
    static let trailerBytes = 29

    /// Writes frames to a temporary file beside `path`, syncs it and moves it into place.
    package static func save(
        _ path: String, _ next: () throws(KeyspaceError) -> Bytes?
    ) throws(KeyspaceError) {
        let temporary = path + ".new"
        do throws(KeyspaceError) {
            let file = try OutputFile(creating: temporary)
            while let frame = try next() { try file.write(frame) }
            try file.sync()
            try Files.rename(temporary, to: path)
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }

    /// What the checksums behind the header begin with: so a chunk of another file never passes.
    static func seed(_ headerChecksum: UInt32) -> UInt32 {
        var writer = ByteWriter(reserving: 4)
        writer.writeLittleEndian(headerChecksum)
        return CRC32C.checksum(writer.bytes)
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

extension ArraySlice where Element == UInt8 {
    /// Little-endian numbers of four bytes each.
    var littleEndianWords: [UInt32] {
        stride(from: startIndex, through: endIndex - 4, by: 4).map { offset in
            var word: UInt32 = 0
            for index in 0..<4 { word |= UInt32(self[offset + index]) << UInt32(8 * index) }
            return word
        }
    }
}
