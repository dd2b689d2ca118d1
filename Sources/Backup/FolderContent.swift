import Glibc

/// Names of the files in a folder.
enum FolderContent {
    /// Sorted by byte; none if there is no such folder.
    static func names(_ path: String) throws(BackupError) -> [String] {
        guard let directory = unsafe opendir(path) else {
            if errno == ENOENT { return [] }
            throw BackupError("cannot list \(path): \(unsafe String(cString: strerror(errno)))")
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe String(
                    cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    static func remove(_ path: String) throws(BackupError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw BackupError("cannot remove \(path): \(unsafe String(cString: strerror(errno)))")
        }
    }

    static func make(_ path: String) throws(BackupError) {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw BackupError("cannot make \(path): \(unsafe String(cString: strerror(errno)))")
        }
    }
}
