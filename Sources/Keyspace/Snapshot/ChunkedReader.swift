package import Basics

/// Reads a chunked file from beginning to end, and checks everything on the way: every error
/// names the file and the byte.
package final class ChunkedReader {
    /// The header's fields.
    package let fields: Bytes
    package let path: String
    private let file: InputFile
    private let kind: ChunkedFile
    private let seed: UInt32
    /// Of the header: with its fields, what tells one file from another.
    package let headerChecksum: UInt32
    private var hash = SnapshotHash()
    private var chunks: UInt32 = 0
    /// Entries of the chunks so far; whoever decodes them counts them.
    package var entries: UInt64 = 0
    /// Of everything before the trailer, once `next` has answered nil.
    package var hashValue: UInt64 { hash.value }
    /// Bytes read so far.
    package var offset: UInt64 { file.offset }
    package var fileBytes: UInt64 { file.size }

    package init(_ path: String, _ kind: ChunkedFile) throws(KeyspaceError) {
        let file = try InputFile(path)
        guard try !file.isAtEnd() else {
            throw KeyspaceError(.badSnapshot, "\(path) at byte 0: the file is empty")
        }
        let preamble = try file.read(ChunkedFile.preambleBytes, "preamble")
        guard preamble.hasPrefix(kind.magic) else {
            throw KeyspaceError(.foreignFormat, "\(path) at byte 0: not \(kind.name) of Martlet")
        }
        let numbers = preamble[8...].littleEndianWords
        guard numbers[0] == kind.version else {
            throw KeyspaceError(
                .foreignFormat,
                "\(path) at byte 8: \(kind.name) of format \(numbers[0]); this program knows"
                    + " \(kind.version)")
        }
        guard numbers[1] <= ChunkedFile.headerBytesMax else {
            throw KeyspaceError(.badSnapshot, "\(path) at byte 12: header length \(numbers[1])")
        }
        fields = try file.read(Int(numbers[1]), "header")
        let checksum = try file.read(4, "header checksum")
        let sum = checksum[...].littleEndianWords[0]
        guard sum == CRC32C.checksum(preamble + fields) else {
            throw KeyspaceError(
                .badSnapshot, "\(path) at byte 0: the header's checksum does not match")
        }
        for part in [preamble, fields, checksum] { hash.add(part) }
        self.path = path
        self.file = file
        self.kind = kind
        seed = ChunkedFile.seed(sum)
        headerChecksum = sum
    }

    /// The next chunk's content; nil at the end, which has been found to be in order.
    package func next() throws(KeyspaceError) -> Bytes? {
        let start = file.offset
        let tag = try file.read(1, "chunk \(chunks)")
        switch tag[0] {
        case ChunkedFile.dataTag: return try readChunk(tag, start)
        case ChunkedFile.endTag:
            try readTrailer(tag)
            return nil
        default: throw damaged(start, "neither a chunk nor the end")
        }
    }

    private func readChunk(_ tag: Bytes, _ start: UInt64) throws(KeyspaceError) -> Bytes {
        let lengths = try file.read(ChunkedFile.chunkHeadBytes - 1, "chunk's head")
        let numbers = lengths[...].littleEndianWords
        guard numbers[1...].allSatisfy({ $0 <= ChunkedFile.chunkBytesMax }) else {
            throw damaged(start, "chunk lengths \(numbers[1]) and \(numbers[2])")
        }
        let packed = try file.read(Int(numbers[2]), "whole chunk")
        let checksum = try file.read(4, "chunk checksum")
        var sum = CRC32C.checksum(tag, continuing: seed)
        sum = CRC32C.checksum(lengths, continuing: sum)
        sum = CRC32C.checksum(packed, continuing: sum)
        guard checksum[...].littleEndianWords[0] == sum else {
            throw damaged(start, "the checksum of chunk \(chunks) does not match")
        }
        guard numbers[0] == chunks else {
            throw damaged(start, "chunk \(numbers[0]) where chunk \(chunks) belongs")
        }
        for part in [tag, lengths, packed, checksum] { hash.add(part) }
        guard let content = Zlib.decompress(packed, count: Int(numbers[1])) else {
            throw damaged(start, "chunk \(chunks) does not decompress")
        }
        chunks += 1
        return content
    }

    private func readTrailer(_ tag: Bytes) throws(KeyspaceError) {
        let start = file.offset - 1
        let rest = try file.read(ChunkedFile.trailerBytes - 1, "trailer")
        let checksum = CRC32C.checksum(
            (tag + rest)[..<(ChunkedFile.trailerBytes - 4)], continuing: seed)
        guard rest[24...].littleEndianWords[0] == checksum else {
            throw damaged(start, "the trailer's checksum does not match")
        }
        var reader = ByteReader(rest)
        do throws(DecodingFailure) {
            let length: UInt64 = try reader.readLittleEndian("length")
            let count: UInt64 = try reader.readLittleEndian("entries")
            let wanted: UInt64 = try reader.readLittleEndian("hash")
            guard length == file.offset, count == entries, wanted == hash.value else {
                throw reader.failure("trailer", "chunks are missing or out of place")
            }
        } catch {
            throw damaged(start, "\(error)")
        }
        guard try file.isAtEnd() else { throw damaged(file.offset, "bytes after the end") }
    }

    package func damaged(_ offset: UInt64, _ reason: String) -> KeyspaceError {
        KeyspaceError(.badSnapshot, "\(path) at byte \(offset): \(reason)")
    }
}
