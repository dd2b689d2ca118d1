import Basics
import Glibc

/// Reads a snapshot file from beginning to end, and checks everything on the way.
final class SnapshotReader {
    struct Entry {
        var table: SnapshotFormat.Table
        var key: Bytes
        var value: Bytes
    }

    let header: SnapshotHeader
    let stored: StoredState
    private let path: String
    private let file: InputFile
    private var hash: SnapshotHash
    private var entries: UInt64 = 0

    init(_ path: String) throws(KeyspaceError) {
        let file = try InputFile(path)
        let preamble = try file.read(SnapshotFormat.preambleBytes, "preamble")
        guard preamble.hasPrefix(SnapshotFormat.magic) else {
            throw KeyspaceError(.badSnapshot, "\(path) is not a snapshot of Martlet")
        }
        let numbers = preamble[8...].withLittleEndianWords
        guard numbers[0] == SnapshotFormat.version else {
            throw KeyspaceError(
                .foreignFormat, "\(path) has snapshot format \(numbers[0]); this program knows 1")
        }
        guard numbers[1] <= SnapshotFormat.headerBytesMax else {
            throw KeyspaceError(.badSnapshot, "\(path): header length \(numbers[1])")
        }
        let fields = try file.read(Int(numbers[1]), "header")
        let checksum = try file.read(4, "header checksum")
        guard checksum[...].withLittleEndianWords[0] == CRC32C.checksum(preamble + fields) else {
            throw KeyspaceError(.badSnapshot, "\(path): the header's checksum does not match")
        }
        (header, stored) = try SnapshotFormat.decodeFields(fields)
        var hash = SnapshotHash()
        for part in [preamble, fields, checksum] { hash.add(part) }
        self.hash = hash
        self.path = path
        self.file = file
    }

    /// The next chunk's entries; nil at the end, which has been found to be in order.
    func next() throws(KeyspaceError) -> [Entry]? {
        let start = file.offset
        let tag = try file.read(1, "chunk")
        switch tag[0] {
        case SnapshotFormat.dataTag: return try readChunk(tag, start)
        case SnapshotFormat.endTag:
            try readTrailer(tag)
            return nil
        default: throw damaged(start, "neither a chunk nor the end")
        }
    }

    private func readChunk(_ tag: Bytes, _ start: UInt64) throws(KeyspaceError) -> [Entry] {
        let lengths = try file.read(8, "chunk lengths")
        let numbers = lengths[...].withLittleEndianWords
        guard numbers.allSatisfy({ $0 <= SnapshotFormat.chunkBytesMax }) else {
            throw damaged(start, "chunk lengths \(numbers[0]) and \(numbers[1])")
        }
        let packed = try file.read(Int(numbers[1]), "chunk")
        let checksum = try file.read(4, "chunk checksum")
        var sum = CRC32C.checksum(tag)
        sum = CRC32C.checksum(lengths, continuing: sum)
        sum = CRC32C.checksum(packed, continuing: sum)
        guard checksum[...].withLittleEndianWords[0] == sum else {
            throw damaged(start, "checksum does not match")
        }
        for part in [tag, lengths, packed, checksum] { hash.add(part) }
        guard let content = Zlib.decompress(packed, count: Int(numbers[0])) else {
            throw damaged(start, "does not decompress")
        }
        return try decode(content, start)
    }

    private func decode(_ content: Bytes, _ start: UInt64) throws(KeyspaceError) -> [Entry] {
        do throws(DecodingFailure) {
            var found: [Entry] = []
            var reader = ByteReader(content)
            while !reader.isAtEnd {
                let byte = try reader.readByte("table")
                guard let table = SnapshotFormat.Table(rawValue: byte) else {
                    throw reader.failure("table", "\(byte) is not known")
                }
                let key = try reader.readCounted("key")
                found.append(
                    Entry(table: table, key: key, value: try reader.readCounted("value")))
            }
            entries += UInt64(found.count)
            return found
        } catch {
            throw damaged(start, "\(error)")
        }
    }

    private func readTrailer(_ tag: Bytes) throws(KeyspaceError) {
        let start = file.offset - 1
        let rest = try file.read(SnapshotFormat.trailerBytes - 1, "trailer")
        let checksum = CRC32C.checksum((tag + rest)[..<(SnapshotFormat.trailerBytes - 4)])
        guard rest[24...].withLittleEndianWords[0] == checksum else {
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

    private func damaged(_ offset: UInt64, _ reason: String) -> KeyspaceError {
        KeyspaceError(.badSnapshot, "\(path) at byte \(offset): \(reason)")
    }
}

extension ArraySlice where Element == UInt8 {
    /// Little-endian numbers of four bytes each.
    fileprivate var withLittleEndianWords: [UInt32] {
        stride(from: startIndex, through: endIndex - 4, by: 4).map { offset in
            var word: UInt32 = 0
            for index in 0..<4 { word |= UInt32(self[offset + index]) << UInt32(8 * index) }
            return word
        }
    }
}
