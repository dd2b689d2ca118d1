import Basics
import Glibc

/// The few calls of the operating system that the keyspace makes beside LMDB's.
enum Files {
    /// Nil when there is no such file.
    static func read(_ path: String) throws(KeyspaceError) -> Bytes? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 {
            if errno == ENOENT { return nil }
            throw failure("open", path)
        }
        defer { close(file) }
        var bytes = Bytes()
        var buffer = Bytes(repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe Glibc.read(file, &buffer, buffer.count)
            if count < 0 { throw failure("read", path) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// Writes a file whole or not at all: temporary file, sync, rename, sync of the directory.
    static func replace(_ path: String, _ bytes: Bytes) throws(KeyspaceError) {
        let temporary = path + ".new"
        let file = try OutputFile(creating: temporary)
        try file.write(bytes)
        try file.sync()
        try rename(temporary, to: path)
    }

    /// Moves a file into place, and syncs the directory.
    static func rename(_ from: String, to path: String) throws(KeyspaceError) {
        guard unsafe Glibc.rename(from, path) == 0 else { throw failure("rename to", path) }
        try syncDirectory(directory(of: path))
    }

    static func remove(_ path: String) throws(KeyspaceError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
    }

    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    static func syncDirectory(_ path: String) throws(KeyspaceError) {
        let directory = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("open", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw syncFailure(path) }
    }

    /// Makes the directory if it is absent; whether it has no entries.
    static func makeEmptyDirectory(_ path: String) throws(KeyspaceError) {
        if unsafe mkdir(path, 0o700) == 0 { return }
        guard errno == EEXIST else { throw failure("make directory", path) }
        guard let stream = unsafe opendir(path) else { throw failure("open", path) }
        defer { unsafe closedir(stream) }
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." {
                throw KeyspaceError(.notEmpty, "\(path) is not empty: it holds \(name)")
            }
        }
    }

    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func syncFailure(_ path: String) -> KeyspaceError {
        var error = failure("sync", path)
        if error.code == .inputOutput { error.code = .syncFailed }
        return error
    }

    static func failure(_ operation: String, _ path: String) -> KeyspaceError {
        let code = errno
        return KeyspaceError(
            code == ENOSPC ? .noSpace : .inputOutput,
            "\(operation) \(path): \(unsafe String(cString: strerror(code)))")
    }
}

/// A file being written from its beginning; closed when it goes out of use.
final class OutputFile {
    private let descriptor: Int32
    private let path: String

    init(creating path: String) throws(KeyspaceError) {
        self.path = path
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw Files.failure("create", path) }
    }

    deinit {
        close(descriptor)
    }

    func write(_ bytes: Bytes) throws(KeyspaceError) {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                unsafe Glibc.write(
                    descriptor, raw.baseAddress.map { unsafe $0 + offset },
                    bytes.count - offset)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw Files.failure("write", path)
            }
            offset += count
        }
    }

    func sync() throws(KeyspaceError) {
        guard fsync(descriptor) == 0 else { throw Files.syncFailure(path) }
    }
}
