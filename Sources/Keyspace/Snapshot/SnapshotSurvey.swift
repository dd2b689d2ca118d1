import Basics

/// Goes through a snapshot file that may be damaged, from chunk to chunk, and names every place
/// that is not as it was written. For files that can be held in memory twice.
package struct SnapshotSurvey: Sendable {
    package struct Damage: Sendable {
        package var offset: UInt64
        package var reason: String
        package var held: String
    }

    package private(set) var damage: [Damage] = []
    /// nil when the header is damaged.
    package private(set) var header: SnapshotHeader?
    package private(set) var chunks = 0
    package private(set) var records = 0
    /// Entries of the file, records and leases, that are in damaged places; nil if the trailer,
    /// which has their number, is damaged too.
    package var entriesLost: UInt64? {
        entriesWritten.map { $0 - min($0, entriesRead) }
    }
    private var entriesWritten: UInt64?
    private var entriesRead: UInt64 = 0
    private(set) var stored: StoredState?
    private var lastRevision: Int64 = 0
    /// Places that wait for the revision behind them.
    private var open: [(offset: UInt64, reason: String)] = []

    package init(_ path: String) throws(KeyspaceError) {
        try self.init(path) { _ in }
    }

    /// - Parameter visit: gets every entry of a chunk that is intact, in the order of the file.
    init(_ path: String, visit: (SnapshotReader.Entry) -> Void) throws(KeyspaceError) {
        guard let bytes = try Files.read(path) else {
            throw KeyspaceError(.inputOutput, "\(path): there is no such file")
        }
        guard bytes.hasPrefix(SnapshotFormat.kind.magic) else {
            throw KeyspaceError(.foreignFormat, "\(path) at byte 0: not a snapshot of Martlet")
        }
        guard bytes.count > ChunkedFile.preambleBytes else {
            damage.append(Damage(offset: 0, reason: "the header is cut off", held: "everything"))
            return
        }
        let numbers = bytes[8..<16].littleEndianWords
        guard numbers[0] == SnapshotFormat.kind.version else {
            throw KeyspaceError(.foreignFormat, "\(path) at byte 8: format \(numbers[0])")
        }
        let end = ChunkedFile.preambleBytes + Int(numbers[1])
        guard end + 4 <= bytes.count, numbers[1] <= ChunkedFile.headerBytesMax else {
            damage.append(
                Damage(offset: 12, reason: "header length \(numbers[1])", held: "everything"))
            return
        }
        let sum = bytes[end..<(end + 4)].littleEndianWords[0]
        if sum == CRC32C.checksum(bytes[..<end]) {
            let fields = try? SnapshotFormat.decodeFields(Bytes(bytes[16..<end]), path)
            header = fields?.0
            stored = fields?.1
        } else {
            damage.append(
                Damage(
                    offset: 0, reason: "the header's checksum does not match",
                    held: "cluster, index, term, revision, members"))
        }
        walk(bytes, from: end + 4, seed: ChunkedFile.seed(sum), visit)
        for place in open {
            damage.append(
                Damage(
                    offset: place.offset, reason: place.reason,
                    held: "what comes after revision \(lastRevision)"))
        }
        damage.sort { $0.offset < $1.offset }
    }

    private mutating func walk(
        _ bytes: Bytes, from start: Int, seed: UInt32, _ visit: (SnapshotReader.Entry) -> Void
    ) {
        var offset = start
        var number: UInt32 = 0
        while offset < bytes.count {
            if bytes[offset] == ChunkedFile.endTag,
                offset + ChunkedFile.trailerBytes == bytes.count
            {
                let end = bytes.count - 4
                if CRC32C.checksum(bytes[offset..<end], continuing: seed)
                    != bytes[end...].littleEndianWords[0]
                {
                    damage.append(
                        Damage(
                            offset: UInt64(offset), reason: "the trailer's checksum does not match",
                            held: "length and hash of the file"))
                } else {
                    let count = bytes[(offset + 9)..<(offset + 17)].littleEndianWords
                    entriesWritten = UInt64(count[0]) | UInt64(count[1]) << 32
                }
                return
            }
            if let chunk = Self.chunk(bytes, offset, seed) {
                if chunk.number != number {
                    open.append((UInt64(offset), "chunk \(chunk.number) where \(number) belongs"))
                }
                number = chunk.number &+ 1
                take(chunk.content, at: offset, visit)
                offset = chunk.end
                continue
            }
            open.append((UInt64(offset), "chunk \(number) is damaged"))
            number &+= 1
            guard let next = Self.nextFrame(bytes, after: offset, seed) else {
                damage.append(
                    Damage(
                        offset: UInt64(bytes.count), reason: "the file ends without its trailer",
                        held: "length and hash of the file"))
                return
            }
            offset = next
        }
        damage.append(
            Damage(
                offset: UInt64(offset), reason: "the file ends without its trailer",
                held: "everything from there on"))
    }

    private static func chunk(
        _ bytes: Bytes, _ offset: Int, _ seed: UInt32
    ) -> (number: UInt32, content: Bytes, end: Int)? {
        let body = offset + ChunkedFile.chunkHeadBytes
        guard bytes[offset] == ChunkedFile.dataTag, body <= bytes.count else { return nil }
        let numbers = bytes[(offset + 1)..<body].littleEndianWords
        let end = body + Int(numbers[2])
        guard numbers[1] <= ChunkedFile.chunkBytesMax, end + 4 <= bytes.count,
            CRC32C.checksum(bytes[offset..<end], continuing: seed)
                == bytes[end..<(end + 4)].littleEndianWords[0],
            let content = Zlib.decompress(Bytes(bytes[body..<end]), count: Int(numbers[1]))
        else { return nil }
        return (numbers[0], content, end + 4)
    }

    /// Where the next whole chunk, or the trailer, begins.
    private static func nextFrame(_ bytes: Bytes, after offset: Int, _ seed: UInt32) -> Int? {
        var place = offset + 1
        let trailer = bytes.count - ChunkedFile.trailerBytes
        while place < bytes.count - ChunkedFile.chunkHeadBytes {
            if bytes[place] == ChunkedFile.dataTag, chunk(bytes, place, seed) != nil {
                return place
            }
            if place == trailer, bytes[place] == ChunkedFile.endTag { return place }
            place += 1
        }
        return nil
    }

    private mutating func take(
        _ content: Bytes, at offset: Int, _ visit: (SnapshotReader.Entry) -> Void
    ) {
        chunks += 1
        guard let entries = try? SnapshotReader.decode(content) else {
            damage.append(
                Damage(
                    offset: UInt64(offset), reason: "its entries do not decode",
                    held: "a chunk's entries"))
            return
        }
        entriesRead += UInt64(entries.count)
        for entry in entries {
            visit(entry)
            guard entry.table == .records,
                let key = unsafe entry.key.withUnsafeBytes({ unsafe RecordKey($0) })
            else { continue }
            for place in open {
                damage.append(
                    Damage(
                        offset: place.offset, reason: place.reason,
                        held: "records between revisions \(lastRevision) and"
                            + " \(key.position.revision)"))
            }
            open = []
            lastRevision = key.position.revision
            records += 1
            if !RecordAssembly.isIntact(entry.key, entry.value) {
                damage.append(
                    Damage(
                        offset: UInt64(offset), reason: "a record fails its own checksum",
                        held: "revision \(key.position.revision).\(key.position.sub)"))
            }
        }
    }
}
