package import Basics

/// Makes the frames of a chunked file one after the other; docs/formats/snapshot.md.
///
/// Snapshots and archives of the log are such files: a header, numbered chunks compressed by
/// zlib, a trailer with a hash over all. The concatenation of the frames is the file.
package struct ChunkedWriter {
    private let kind: ChunkedFile
    private var hash = SnapshotHash()
    private var bytes: UInt64 = 0
    private var entries: UInt64 = 0
    private var chunks: UInt32 = 0
    private var seed: UInt32 = 0

    package init(_ kind: ChunkedFile) {
        self.kind = kind
    }

    /// The first frame.
    package mutating func header(_ fields: Bytes) -> Bytes {
        var writer = ByteWriter()
        writer.write(kind.magic)
        writer.writeLittleEndian(kind.version)
        writer.writeLittleEndian(UInt32(fields.count))
        writer.write(fields)
        let checksum = CRC32C.checksum(writer.bytes)
        writer.writeLittleEndian(checksum)
        seed = ChunkedFile.seed(checksum)
        return count(writer.bytes)
    }

    /// A chunk of so many entries.
    package mutating func chunk(_ content: Bytes, entries: Int) throws(KeyspaceError) -> Bytes {
        let packed = try Zlib.compress(content)
        var writer = ByteWriter(reserving: packed.count + ChunkedFile.chunkHeadBytes + 4)
        writer.write(ChunkedFile.dataTag)
        writer.writeLittleEndian(chunks)
        writer.writeLittleEndian(UInt32(content.count))
        writer.writeLittleEndian(UInt32(packed.count))
        writer.write(packed)
        writer.writeLittleEndian(CRC32C.checksum(writer.bytes, continuing: seed))
        chunks += 1
        self.entries += UInt64(entries)
        return count(writer.bytes)
    }

    /// The last frame.
    package mutating func trailer() -> Bytes {
        var writer = ByteWriter(reserving: ChunkedFile.trailerBytes)
        writer.write(ChunkedFile.endTag)
        writer.writeLittleEndian(bytes + UInt64(ChunkedFile.trailerBytes))
        writer.writeLittleEndian(entries)
        writer.writeLittleEndian(hash.value)
        writer.writeLittleEndian(CRC32C.checksum(writer.bytes, continuing: seed))
        return writer.bytes
    }

    private mutating func count(_ frame: Bytes) -> Bytes {
        hash.add(frame)
        bytes += UInt64(frame.count)
        return frame
    }
}
