import Basics
import Glibc

/// The files of a directory on disk. The directory must exist; files are made with mode 0600.
package final class DirectoryLogFiles: LogFiles {
    private let path: String
    private let isReadOnly: Bool

    /// - Parameter isReadOnly: for inspection of a log that another process may be writing.
    package init(path: String, isReadOnly: Bool = false) {
        self.path = path
        self.isReadOnly = isReadOnly
    }

    package func place(of name: String) -> String { path + "/" + name }

    package func names() throws(LogError) -> [String] {
        guard let directory = unsafe opendir(path) else {
            throw failure(path, "cannot list the directory", errno)
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

    package func create(_ name: String) throws(LogError) -> any LogFile {
        try opened(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, "cannot create the file")
    }

    package func open(_ name: String) throws(LogError) -> any LogFile {
        try opened(name, (isReadOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC, "cannot open the file")
    }

    private func opened(_ name: String, _ flags: Int32, _ what: String) throws(LogError) -> DiskFile
    {
        let whole = place(of: name)
        let descriptor = unsafe Glibc.open(whole, flags, 0o600)
        guard descriptor >= 0 else { throw failure(whole, what, errno) }
        return DiskFile(descriptor: descriptor, path: whole)
    }

    package func remove(_ name: String) throws(LogError) {
        let whole = place(of: name)
        guard unsafe unlink(whole) == 0 else {
            throw failure(whole, "cannot remove the file", errno)
        }
    }

    package func rename(_ name: String, to newName: String) throws(LogError) {
        let whole = place(of: name)
        guard unsafe Glibc.rename(whole, place(of: newName)) == 0 else {
            throw failure(whole, "cannot rename the file", errno)
        }
    }

    package func syncDirectory() throws(LogError) {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "cannot open the directory", errno) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw failure(path, "sync failed", errno, isSync: true)
        }
    }
}

private final class DiskFile: LogFile {
    /// Nobody reads what was written as long as the replica runs, but the scrubber, who should see
    /// the disk: in a small control group these pages would press out the keyspace's. Let go of in
    /// pieces, each a system call.
    private static let cachedBytesMax: UInt64 = 1 << 20

    private var descriptor: Int32
    private let path: String
    /// Written since pages were let go of last.
    private var cached: Range<UInt64> = 0..<0

    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        close()
    }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    func size() throws(LogError) -> UInt64 {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw failure(path, "cannot read the size", errno)
        }
        return UInt64(status.st_size)
    }

    func read(at offset: UInt64, count: Int) throws(LogError) -> Bytes {
        var failed: Int32 = 0
        let bytes = unsafe Bytes(unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count, let base = buffer.baseAddress {
                let got = unsafe pread(
                    descriptor, base + filled, count - filled, off_t(offset) + off_t(filled))
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failed = errno }
                if got <= 0 { break }
                filled += got
            }
        }
        guard failed == 0 else { throw failure(path, "cannot read", failed) }
        return bytes
    }

    func write(_ bytes: Bytes, at offset: UInt64) throws(LogError) {
        let failed: Int32 = unsafe bytes.withUnsafeBytes { raw in
            var done = 0
            while done < raw.count, let base = raw.baseAddress {
                let put = unsafe pwrite(
                    descriptor, base + done, raw.count - done, off_t(offset) + off_t(done))
                if put < 0 && errno == EINTR { continue }
                guard put > 0 else { return put == 0 ? EIO : errno }
                done += put
            }
            return 0
        }
        guard failed == 0 else { throw failure(path, "cannot write", failed, isSync: true) }
        let start = cached.isEmpty ? offset : min(cached.lowerBound, offset)
        cached = start..<max(cached.upperBound, offset + UInt64(bytes.count))
    }

    func reserve(_ size: UInt64) throws(LogError) {
        let now = try self.size()
        guard size > now else { return }
        var code = posix_fallocate(descriptor, off_t(now), off_t(size - now))
        while code == EINTR { code = posix_fallocate(descriptor, off_t(now), off_t(size - now)) }
        guard code == 0 else { throw failure(path, "cannot reserve space", code) }
    }

    func truncate(_ size: UInt64) throws(LogError) {
        while ftruncate(descriptor, off_t(size)) != 0 {
            guard errno == EINTR else { throw failure(path, "cannot change the size", errno) }
        }
    }

    func sync() throws(LogError) {
        // Not retried, not even after EINTR: the kernel may have dropped the failed pages.
        guard fdatasync(descriptor) == 0 else {
            throw failure(path, "sync failed", errno, isSync: true)
        }
        guard cached.upperBound - cached.lowerBound >= Self.cachedBytesMax else { return }
        // What the kernel makes of it changes no result.
        _ = posix_fadvise(
            descriptor, off_t(cached.lowerBound), off_t(cached.upperBound - cached.lowerBound),
            POSIX_FADV_DONTNEED)
        cached = 0..<0
    }
}

private func failure(
    _ file: String, _ what: String, _ code: Int32, isSync: Bool = false
) -> LogError {
    let text = unsafe String(cString: strerror(code))
    let kind: LogError.Kind =
        code == ENOSPC || code == EDQUOT ? .full : isSync ? .syncFailed : .inputOutput
    return LogError(kind, file: file, "\(what): \(text)")
}
