import Basics
import Keyspace
package import Raft

/// Committed entries of the log in a file of their own, beside the snapshots;
/// docs/formats/log-archive.md.
package struct ArchiveFile: Sendable, Hashable {
    private static let kind = ChunkedFile(
        magic: "MRTLARCH", version: 1, name: "an archive of the log")

    package let path: String
    package let first: UInt64
    package let last: UInt64

    /// `FIRST-LAST.entries`; nil for any other name.
    init?(folder: String, name: String) {
        guard name.utf8.count == 41, name.hasSuffix(".entries") else { return nil }
        let numbers = name.dropLast(8).split(separator: "-")
        guard numbers.count == 2, let first = UInt64(numbers[0], radix: 16),
            let last = UInt64(numbers[1], radix: 16), first <= last
        else { return nil }
        path = folder + "/" + name
        self.first = first
        self.last = last
    }

    /// nil if the file's name is not that of an archive.
    package init?(path: String) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        self.init(folder: folder, name: name)
    }

    /// Files of a folder, by their first entry.
    package static func all(in folder: String) throws(BackupError) -> [ArchiveFile] {
        var files: [ArchiveFile] = []
        for name in try FolderContent.names(folder) {
            if let file = ArchiveFile(folder: folder, name: name) { files.append(file) }
        }
        return files.sorted { ($0.first, $0.last) < ($1.first, $1.last) }
    }

    /// Names of files that may have been archives before somebody gave them these.
    static func namesPassedOver(in folder: String) throws(BackupError) -> [String] {
        try FolderContent.names(folder).filter { name in
            name.hasSuffix(".entries") && ArchiveFile(folder: folder, name: name) == nil
        }
    }

    /// Writes entries, which follow one another, whole and synced or not at all.
    package static func write(
        _ entries: ArraySlice<Entry>, clusterID: UInt64, folder: String
    ) throws(BackupError) {
        guard let first = entries.first, let last = entries.last else { return }
        let name = "\(digits(first.index))-\(digits(last.index)).entries"
        var writer = ChunkedWriter(kind)
        var fields = ByteWriter()
        fields.writeLittleEndian(clusterID)
        fields.writeLittleEndian(first.index)
        fields.writeLittleEndian(last.index)
        var rest = entries
        var isBegun = false
        var isEnded = false
        try keyspace { () throws(KeyspaceError) in
            try ChunkedFile.save(folder + "/" + name) { () throws(KeyspaceError) -> Bytes? in
                if !isBegun {
                    isBegun = true
                    return writer.header(fields.bytes)
                }
                if rest.isEmpty {
                    if isEnded { return nil }
                    isEnded = true
                    return writer.trailer()
                }
                let before = rest.count
                let content = Self.content(&rest)
                return try writer.chunk(content, entries: before - rest.count)
            }
        }
    }

    /// Takes entries off the front until a chunk is full.
    private static func content(_ entries: inout ArraySlice<Entry>) -> Bytes {
        var writer = ByteWriter(reserving: ChunkedFile.chunkBytes + 4096)
        while let entry = entries.first, writer.count < ChunkedFile.chunkBytes {
            writer.writeVarint(entry.index)
            writer.writeVarint(entry.term)
            writer.write(entry.kind.rawValue)
            writer.writeCounted(entry.payload)
            entries.removeFirst()
        }
        return writer.bytes
    }

    /// Reads the whole file and checks it.
    ///
    /// - Parameter clusterID: the cluster that it must be of; nil takes any.
    package func entries(clusterID: UInt64? = nil) throws(BackupError) -> [Entry] {
        do throws(KeyspaceError) {
            let reader = try ChunkedReader(path, Self.kind)
            try checkFields(reader, clusterID)
            var found: [Entry] = []
            while true {
                let start = reader.offset
                guard let content = try reader.next() else { break }
                let before = found.count
                do throws(DecodingFailure) {
                    try Self.decode(content, after: first + UInt64(found.count), into: &found)
                } catch {
                    throw reader.damaged(start, "\(error)")
                }
                reader.entries += UInt64(found.count - before)
            }
            guard UInt64(found.count) == last - first + 1 else {
                throw reader.damaged(0, "it holds \(found.count) entries, not what its name says")
            }
            return found
        } catch {
            throw BackupError(error)
        }
    }

    private func checkFields(
        _ reader: ChunkedReader, _ clusterID: UInt64?
    ) throws(KeyspaceError) {
        do throws(DecodingFailure) {
            var fields = ByteReader(reader.fields)
            let cluster: UInt64 = try fields.readLittleEndian("cluster id")
            let first: UInt64 = try fields.readLittleEndian("first entry")
            let last: UInt64 = try fields.readLittleEndian("last entry")
            try fields.expectEnd("archive header")
            if let clusterID, cluster != clusterID {
                throw fields.failure(
                    "cluster id",
                    "of cluster \(Self.digits(cluster)), not of \(Self.digits(clusterID))")
            }
            guard first == self.first, last == self.last else {
                throw fields.failure("first entry", "\(first) to \(last), not as the name says")
            }
        } catch {
            throw reader.damaged(16, "\(error)")
        }
    }

    private static func decode(
        _ content: Bytes, after first: UInt64, into found: inout [Entry]
    ) throws(DecodingFailure) {
        var reader = ByteReader(content)
        var expected = first
        while !reader.isAtEnd {
            let index = try reader.readVarint("index")
            guard index == expected else {
                throw reader.failure("index", "entry \(index) where \(expected) belongs")
            }
            let term = try reader.readVarint("term")
            let rawKind = try reader.readByte("kind")
            guard let kind = Entry.Kind(rawValue: rawKind) else {
                throw reader.failure("kind", "\(rawKind) is not known")
            }
            let payload = try reader.readCounted("payload")
            found.append(Entry(term: term, index: index, kind: kind, payload: payload))
            expected += 1
        }
    }

    static func digits(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
