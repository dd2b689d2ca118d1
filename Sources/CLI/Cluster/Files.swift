import Basics
import Glibc

/// The few file operations of the command line, with errors that name the path.
enum Files {
    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    static func makeDirectory(_ path: String, mode: mode_t) throws(CommandError) {
        if unsafe mkdir(path, mode) != 0, errno != EEXIST {
            throw failure("cannot make directory", path)
        }
    }

    static func list(_ path: String) throws(CommandError) -> [String] {
        guard let directory = unsafe opendir(path) else {
            throw failure("cannot list", path)
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func read(_ path: String) throws(CommandError) -> Bytes {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot read", path) }
        defer { close(descriptor) }
        var content = Bytes()
        var chunk = Bytes(repeating: 0, count: 64 * 1024)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            guard count >= 0 else { throw failure("cannot read", path) }
            if count == 0 { return content }
            content.append(contentsOf: chunk[..<count])
        }
    }

    static func readText(_ path: String) throws(CommandError) -> String {
        String(decoding: try read(path), as: UTF8.self)
    }

    /// Writes a new file beside the old one and renames it over: readers see one or the other.
    static func write(
        _ path: String, _ content: Bytes, mode: mode_t
    ) throws(CommandError) {
        let temporary = path + ".new"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("cannot write", temporary) }
        var written = 0
        while written < content.count {
            let count = unsafe content.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    descriptor, buffer.baseAddress?.advanced(by: written),
                    buffer.count - written)
            }
            guard count >= 0 else {
                let error = failure("cannot write", temporary)
                close(descriptor)
                throw error
            }
            written += count
        }
        fchmod(descriptor, mode)
        fdatasync(descriptor)
        close(descriptor)
        guard unsafe rename(temporary, path) == 0 else { throw failure("cannot write", path) }
    }

    static func write(_ path: String, text: String, mode: mode_t) throws(CommandError) {
        try write(path, Bytes(text.utf8), mode: mode)
    }

    static func failure(_ what: String, _ path: String) -> CommandError {
        CommandError("\(what) \(path): \(systemMessage(errno))")
    }
}

/// The system's words for an `errno`.
func systemMessage(_ code: Int32) -> String {
    unsafe String(cString: strerror(code))
}

func currentDirectory() -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    guard unsafe getcwd(&buffer, buffer.count) != nil else { return "." }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

extension Files {
    /// Device and inode of what the path names now; nil when nothing does.
    static func identity(_ path: String) -> [UInt64]? {
        var information = stat()
        guard unsafe stat(path, &information) == 0 else { return nil }
        return [UInt64(information.st_dev), UInt64(information.st_ino)]
    }

    /// Removes a file or a folder with everything in it; links are not followed.
    static func removeTree(_ path: String) {
        if unsafe unlink(path) == 0 || errno == ENOENT { return }
        for name in (try? list(path)) ?? [] { removeTree(path + "/" + name) }
        unsafe rmdir(path)
    }

    static func isFolder(_ path: String) -> Bool {
        var information = stat()
        return unsafe stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    /// Where a file lies.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes a rename in the file's folder survive a power cut.
    static func syncFolder(of path: String) throws(CommandError) {
        let folder = folder(of: path)
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("cannot sync", folder) }
    }
}
