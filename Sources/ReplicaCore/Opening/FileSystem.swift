package import Basics
import Glibc

/// The few file calls of this floor; failures name the file.
package enum FileSystem {
    package static func failure(_ what: String, _ path: String) -> ReplicaFailure {
        let code = errno
        if code == ENOSPC || code == EDQUOT { return .noSpace(path) }
        let text = unsafe String(cString: strerror(code))
        return ReplicaFailure(nil, "\(what) \(path): \(text)")
    }

    package static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// nil if it cannot be said.
    package static func space(of path: String) -> DiskSpace? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        let block = UInt64(status.f_frsize)
        return DiskSpace(
            freeBytes: UInt64(status.f_bavail) * block, totalBytes: UInt64(status.f_blocks) * block)
    }

    package static func makeDirectory(_ path: String) throws(ReplicaFailure) {
        if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        throw failure("cannot make", path)
    }

    /// Sorted; none if the directory does not exist.
    package static func names(in path: String) throws(ReplicaFailure) -> [String] {
        guard let directory = unsafe opendir(path) else {
            if errno == ENOENT { return [] }
            throw failure("cannot list", path)
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe String(
                    cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { isOrderedBefore(Array($0.utf8), Array($1.utf8)) }
    }

    package static func remove(_ path: String) throws(ReplicaFailure) {
        if unsafe unlink(path) == 0 || errno == ENOENT { return }
        throw failure("cannot remove", path)
    }

    /// A directory of files, or nothing.
    package static func removeTree(_ path: String) throws(ReplicaFailure) {
        for name in try names(in: path) { try remove(path + "/" + name) }
        if unsafe rmdir(path) == 0 || errno == ENOENT { return }
        throw failure("cannot remove", path)
    }

    package static func rename(_ old: String, _ new: String) throws(ReplicaFailure) {
        guard unsafe Glibc.rename(old, new) == 0 else { throw failure("cannot rename", old) }
    }

    /// nil if there is no such file. For small files.
    package static func read(_ path: String) throws(ReplicaFailure) -> Bytes? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("cannot open", path)
        }
        defer { close(descriptor) }
        var bytes = Bytes()
        var chunk = Bytes(repeating: 0, count: 4096)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { raw in
                unsafe Glibc.read(descriptor, raw.baseAddress, raw.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot read", path) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// Writes all of `bytes` to an open file.
    package static func write(_ bytes: Bytes, to descriptor: Int32, _ path: String)
        throws(ReplicaFailure)
    {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw -> Int in
                guard let base = raw.baseAddress else { return 0 }
                return unsafe Glibc.write(descriptor, base + done, raw.count - done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure("cannot write", path) }
            done += count
        }
    }

    /// Puts a small file in place, synced, whole or not at all.
    package static func replace(_ path: String, _ bytes: Bytes) throws(ReplicaFailure) {
        let temporary = path + ".new"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot make", temporary) }
        defer { close(descriptor) }
        try write(bytes, to: descriptor, temporary)
        try sync(descriptor, temporary)
        try rename(temporary, path)
    }

    /// Leaves a small file, synced or not, whole or not: what a disk that fails still takes.
    package static func leave(_ path: String, _ bytes: Bytes) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        try? write(bytes, to: descriptor, path)
        _ = fsync(descriptor)
    }

    package static func sync(_ descriptor: Int32, _ path: String) throws(ReplicaFailure) {
        guard fsync(descriptor) == 0 else {
            var failed = failure("sync failed:", path)
            failed.fatalExit = .syncFailed
            throw failed
        }
    }

    package static func syncFile(_ path: String) throws(ReplicaFailure) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot open", path) }
        defer { close(descriptor) }
        try sync(descriptor, path)
    }

    package static func syncDirectory(_ path: String) throws(ReplicaFailure) {
        try syncFile(path)
    }
}
