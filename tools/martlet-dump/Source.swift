import Backup
import Basics
import Glibc
import Keyspace

/// What PATH names.
struct Place {
    enum Kind {
        case replica, keyspace, snapshot, archive
        /// Of snapshots and archives.
        case folder
    }

    let path: String
    let kind: Kind

    init(_ path: String) throws {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            throw DumpError("\(path): \(unsafe String(cString: strerror(errno)))")
        }
        if status.st_mode & S_IFMT != S_IFDIR {
            kind = ArchiveFile(path: path) == nil ? .snapshot : .archive
        } else if Source.exists(path + "/" + Keyspace.fileName) {
            kind = .keyspace
        } else if Source.exists(path + "/keyspace") || Source.exists(path + "/log") {
            kind = .replica
        } else if !Source.files(in: path, suffix: ".snapshot").isEmpty
            || !Source.files(in: path, suffix: ".entries").isEmpty
        {
            kind = .folder
        } else {
            throw DumpError(
                "\(path) holds neither a replica nor snapshots\(Self.hint(path))")
        }
    }
}

extension Place {
    /// What was perhaps meant by a folder above or below a replica's.
    private static func hint(_ path: String) -> String {
        if Source.exists(path + "/replica-1") {
            return ": it is a cluster's folder; name a replica's, as \(path)/replica-1"
        }
        return Source.files(in: path, suffix: ".wal").isEmpty
            ? "" : ": it is a replica's log; name the folder above it"
    }
}

/// The content of a place: a keyspace, and what stands beside it.
final class Source {
    let path: String
    /// Of a snapshot file.
    let snapshot: SnapshotHeader?
    /// The keyspace directory, whether it exists or not.
    let keyspacePath: String
    private var temporary: String?
    private var opened: KeyspaceInspector?

    init(_ place: Place) throws {
        path = place.path
        switch place.kind {
        case .replica:
            snapshot = nil
            keyspacePath = path + "/keyspace"
        case .keyspace:
            snapshot = nil
            keyspacePath = path
        case .snapshot:
            let directory = try Self.makeTemporaryDirectory()
            temporary = directory
            keyspacePath = directory + "/keyspace"
            snapshot = try SnapshotFile.restore(path, into: directory + "/keyspace")
        case .archive, .folder:
            throw DumpError("\(path) is no replica and no snapshot: only log and verify know it")
        }
    }

    /// The keyspace, opened once: LMDB takes one opening per process.
    func keyspace() throws -> KeyspaceInspector {
        if let opened { return opened }
        let inspector = try KeyspaceInspector(directory: keyspacePath)
        opened = inspector
        return inspector
    }

    /// Files of a folder with this ending, by name.
    static func files(in folder: String, suffix: String) -> [String] {
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name.hasSuffix(suffix) { names.append(name) }
        }
        return names.sorted().map { folder + "/" + $0 }
    }

    /// Removes what was unpacked.
    func close() {
        opened = nil
        guard let temporary else { return }
        for name in ["data.mdb", "lock.mdb", "boot"] {
            unsafe unlink("\(temporary)/keyspace/\(name)")
        }
        unsafe rmdir(temporary + "/keyspace")
        unsafe rmdir(temporary)
    }

    deinit {
        close()
    }

    static func bytes(ofFile path: String) -> Int64 {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    private static func makeTemporaryDirectory() throws -> String {
        var base = "/tmp"
        if let given = unsafe getenv("TMPDIR") { base = unsafe String(cString: given) }
        var template = Array((base + "/martlet-dump-XXXXXX").utf8CString)
        return try unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress, unsafe mkdtemp(start) != nil else {
                throw DumpError("cannot make a directory in \(base)")
            }
            return unsafe String(cString: start)
        }
    }
}

/// Why something cannot be shown.
struct DumpError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
