package import Basics
import Glibc

/// Snapshots as files. `docs/formats/snapshot.md` has the bytes.
package enum SnapshotFile {
    /// Writes the stream to a temporary file beside `path`, syncs it and moves it into place.
    @discardableResult
    package static func save(
        _ stream: SnapshotStream, to path: String
    ) throws(KeyspaceError) -> SnapshotHeader {
        try ChunkedFile.save(path) { () throws(KeyspaceError) in try stream.next() }
        return stream.header
    }

    /// Reads the header alone; everything else is unchecked.
    package static func header(_ path: String) throws(KeyspaceError) -> SnapshotHeader {
        try SnapshotReader(path).header
    }

    /// What tells one snapshot from another, read from the header alone: two files that agree in
    /// it have the same bytes as far as both go.
    package struct Identity: Sendable, Hashable {
        package var index: UInt64
        package var headerChecksum: UInt32

        package init(index: UInt64, headerChecksum: UInt32) {
            self.index = index
            self.headerChecksum = headerChecksum
        }
    }

    package static func identity(_ path: String) throws(KeyspaceError) -> Identity {
        let reader = try SnapshotReader(path)
        return Identity(
            index: reader.header.index, headerChecksum: reader.chunks.headerChecksum)
    }

    /// Reads the whole file and checks every chunk, the length and the hash over everything.
    @discardableResult
    package static func verify(_ path: String) throws(KeyspaceError) -> SnapshotHeader {
        let reader = try SnapshotReader(path)
        while try reader.next() != nil {}
        return reader.header
    }

    /// What `martlet store snapshot status` says of a file that is in order.
    package struct Status: Sendable {
        package var header: SnapshotHeader
        /// Over everything before the trailer.
        package var hash: UInt64
        /// Record chunks and leases.
        package var entries: UInt64
        package var bytes: UInt64
    }

    /// Reads the whole file and checks everything.
    package static func status(_ path: String) throws(KeyspaceError) -> Status {
        let reader = try SnapshotReader(path)
        while try reader.next() != nil {}
        return Status(
            header: reader.header, hash: reader.chunks.hashValue,
            entries: reader.chunks.entries, bytes: reader.chunks.offset)
    }

    /// Makes `directory` a keyspace with the file's content, synced and marked clean. The file is
    /// read once and checked on the way; when it is refused, `directory` is as it was.
    ///
    /// Unless `isSynced` it has no mark, and counts as written before a crash of the operating
    /// system until `BootMark.markRunning`: for whoever can make it once more.
    ///
    /// `directory` is absent or empty before, unless `replacing`, which takes the place of a
    /// keyspace that is not open. Blobs but `membership` and `auth` are not restored; `membership`
    /// replaces the one of the snapshot, for a new cluster.
    @discardableResult
    package static func restore(
        _ path: String, into directory: String, replacing: Bool = false,
        membership: Bytes? = nil, isSynced: Bool = true
    ) throws(KeyspaceError) -> SnapshotHeader {
        let reader = try SnapshotReader(path)
        if !replacing, Files.exists(directory) { try Files.makeEmptyDirectory(directory) }
        let temporary = directory + ".new"
        try Files.removeKeyspace(temporary)
        try Files.makeEmptyDirectory(temporary)
        do throws(KeyspaceError) {
            try SnapshotLoader.load(
                reader, into: temporary, membership: membership ?? reader.header.membership,
                isSynced: isSynced)
            if isSynced { try BootMark.markClean(directory: temporary) }
        } catch {
            try? Files.removeKeyspace(temporary)
            throw error
        }
        if replacing { try Files.removeKeyspace(directory) }
        guard unsafe rmdir(directory) == 0 || errno == ENOENT else {
            throw Files.failure("replace", directory)
        }
        try Files.rename(temporary, to: directory)
        return reader.header
    }
}

extension Files {
    /// Removes a keyspace directory's files and the directory, if they exist.
    static func removeKeyspace(_ directory: String) throws(KeyspaceError) {
        for name in [
            Keyspace.fileName, "lock.mdb", CrashCount.fileName, BootMark.fileName,
            BootMark.fileName + ".new",
        ] {
            try remove(directory + "/" + name)
        }
        guard unsafe rmdir(directory) == 0 || errno == ENOENT else {
            throw failure("remove", directory)
        }
    }
}
