import Basics
import Glibc

/// A file, read and written at places.
final class BoltFile {
    let path: String
    private let descriptor: Int32

    init(_ path: String, creating: Bool) throws(BoltError) {
        self.path = path
        descriptor =
            creating
            ? unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BoltError(path, Self.reason()) }
    }

    deinit { close(descriptor) }

    private static func reason() -> String { unsafe String(cString: strerror(errno)) }

    func size() throws(BoltError) -> Int {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw BoltError(path, Self.reason()) }
        return Int(status.st_size)
    }

    /// So many bytes, or an error.
    func read(_ count: Int, at offset: Int) throws(BoltError) -> Bytes {
        var bytes = Bytes(repeating: 0, count: count)
        var done = 0
        while done < count {
            let read = unsafe bytes.withUnsafeMutableBytes { buffer in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                return unsafe pread(
                    descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            }
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else { throw BoltError(path, at: offset, Self.reason()) }
            guard read > 0 else { throw BoltError(path, at: offset, "the file ends early") }
            done += read
        }
        return bytes
    }

    func write(_ bytes: Bytes, at offset: Int) throws(BoltError) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                return unsafe pwrite(
                    descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw BoltError(path, at: offset, Self.reason()) }
            done += written
        }
    }

    func sync() throws(BoltError) {
        guard fsync(descriptor) == 0 else { throw BoltError(path, Self.reason()) }
    }
}
