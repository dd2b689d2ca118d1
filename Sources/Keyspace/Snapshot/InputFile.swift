import Basics
import Glibc

/// A file that is read from its beginning, with a buffer.
final class InputFile {
    private let descriptor: Int32
    let path: String
    /// When it was opened.
    let size: UInt64
    private var buffer: Bytes = []
    private var used = 0
    /// Bytes handed out so far.
    private(set) var offset: UInt64 = 0

    init(_ path: String) throws(KeyspaceError) {
        self.path = path
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw Files.failure("open", path) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Files.failure("look at", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw KeyspaceError(.inputOutput, "\(path) is not a file")
        }
        size = UInt64(status.st_size)
    }

    deinit {
        close(descriptor)
    }

    /// Exactly `count` bytes; `what` names them when the file ends before.
    func read(_ count: Int, _ what: String) throws(KeyspaceError) -> Bytes {
        var bytes = Bytes()
        bytes.reserveCapacity(min(count, 1 << 20))
        while bytes.count < count {
            if used == buffer.count { try fill() }
            if buffer.isEmpty {
                throw KeyspaceError(
                    .badSnapshot, "\(path) is cut off at byte \(offset): no \(what)")
            }
            let part = min(count - bytes.count, buffer.count - used)
            bytes += buffer[used..<(used + part)]
            used += part
            offset += UInt64(part)
        }
        return bytes
    }

    func isAtEnd() throws(KeyspaceError) -> Bool {
        if used == buffer.count { try fill() }
        return buffer.isEmpty
    }

    private func fill() throws(KeyspaceError) {
        var count = 0
        buffer = unsafe Bytes(unsafeUninitializedCapacity: 1 << 18) { room, filled in
            repeat {
                unsafe count = Glibc.read(descriptor, room.baseAddress, room.count)
            } while count < 0 && errno == EINTR
            filled = max(0, count)
        }
        used = 0
        if count < 0 { throw Files.failure("read", path) }
    }
}
