import Basics
import Glibc

/// What the kernel said when a file operation failed.
struct FileError: Error, CustomStringConvertible {
    var operation: String
    var path: String
    var code: Int32

    var description: String { "\(operation) \(path): \(errnoText(code))" }
}

func errnoText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
}

/// Blocking file operations; called on the agent's own threads, never on an event loop.
enum Files {
    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes the directory and those above it.
    static func makeDirectories(_ path: String, mode: mode_t = 0o700) throws(FileError) {
        if isDirectory(path) { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectories(String(path[..<slash]), mode: mode)
        }
        guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else {
            throw FileError(operation: "mkdir", path: path, code: errno)
        }
    }

    static func read(_ path: String, bytesMax: Int = 16 << 20) throws(FileError) -> Bytes {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw FileError(operation: "open", path: path, code: errno)
        }
        defer { close(descriptor) }
        var bytes = Bytes()
        var chunk = Bytes(repeating: 0, count: 65_536)
        while bytes.count < bytesMax {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError(operation: "read", path: path, code: errno) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return bytes
    }

    static func readText(_ path: String) -> String? {
        (try? read(path)).map { String(decoding: $0, as: UTF8.self) }
    }

    static func write(
        _ bytes: Bytes, to path: String, mode: mode_t = 0o600
    ) throws(FileError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw FileError(operation: "open", path: path, code: errno)
        }
        defer { close(descriptor) }
        fchmod(descriptor, mode)
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                unsafe Glibc.write(
                    descriptor, raw.baseAddress?.advanced(by: offset), bytes.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError(operation: "write", path: path, code: errno) }
            offset += count
        }
    }

    /// A reader sees the old content or the new one, never a part.
    static func replace(
        _ path: String, with bytes: Bytes, mode: mode_t = 0o600
    ) throws(FileError) {
        try write(bytes, to: path + ".new", mode: mode)
        try rename(path + ".new", to: path)
    }

    static func rename(_ path: String, to target: String) throws(FileError) {
        guard unsafe Glibc.rename(path, target) == 0 else {
            throw FileError(operation: "rename", path: path, code: errno)
        }
    }

    static func symbolicLink(_ path: String, to target: String) throws(FileError) {
        guard unsafe symlink(target, path) == 0 else {
            throw FileError(operation: "symlink", path: path, code: errno)
        }
    }

    static func linkTarget(_ path: String) -> String? {
        var buffer = Bytes(repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { raw in
            guard let base = raw.baseAddress else { return -1 }
            return unsafe readlink(path, base.assumingMemoryBound(to: CChar.self), raw.count)
        }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// The path without symbolic links; nil if it does not exist.
    static func resolved(_ path: String) -> String? {
        guard let text = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    /// Names in the directory, sorted, without `.` and `..`; empty if there is no directory.
    static func list(_ path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes the file, or the directory with everything in it; symbolic links are not followed.
    static func remove(_ path: String) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in list(path) { remove(path + "/" + name) }
            unsafe rmdir(path)
        } else {
            unsafe unlink(path)
        }
    }

    static func setMode(_ path: String, _ mode: mode_t) {
        unsafe chmod(path, mode)
    }

    static func setGroup(_ path: String, _ group: UInt32) {
        unsafe lchown(path, uid_t.max, group)
    }
}
