import Basics
import Glibc

/// Reads a container's log, its rotated files first. Blocking.
final class LogFile: Sendable {
    private static let chunkBytes = 65_536
    private static let rotatedMax = 4

    private struct State {
        var descriptor: Int32 = -1
        var inode: ino_t = 0
        /// Rotated files still to be read before the current one, oldest first.
        var older: [String] = []
    }

    private let path: String
    private let state = Locked(State())

    init(_ path: String) {
        self.path = path
    }

    deinit {
        let descriptor = state.withLock { $0.descriptor }
        if descriptor >= 0 { close(descriptor) }
    }

    /// Goes to the beginning, or to the last `lines` records.
    func open(tailLines lines: Int64?) {
        let rotated = (1...Self.rotatedMax).reversed().map { "\(path).\($0)" }
            .filter(Files.exists)
        state.withLock { state in
            guard let lines else {
                state.older = rotated
                Self.openNext(&state, path)
                return
            }
            var missing = lines
            var files = [path] + rotated.reversed()
            var chosen: [String] = []
            var offset: Int64 = 0
            while missing >= 0, !files.isEmpty {
                let file = files.removeFirst()
                chosen.insert(file, at: 0)
                let (start, found) = Self.tail(file, lines: missing)
                offset = start
                missing -= found
                if missing <= 0 { break }
            }
            state.older = chosen.filter { $0 != path }
            Self.openNext(&state, path)
            lseek(state.descriptor, Int(offset), SEEK_SET)
        }
    }

    /// The next bytes; empty at the end of what there is now.
    func read() -> Bytes {
        state.withLock { state in
            while true {
                if state.descriptor < 0 { Self.openNext(&state, path) }
                guard state.descriptor >= 0 else { return [] }
                var bytes = Bytes(repeating: 0, count: Self.chunkBytes)
                let count = unsafe Glibc.read(state.descriptor, &bytes, bytes.count)
                if count > 0 { return Bytes(bytes[..<count]) }
                if count < 0, errno == EINTR { continue }
                // At the end of a file that was rotated away, the next one goes on.
                guard !state.older.isEmpty || Self.inode(path) != state.inode,
                    Files.exists(path)
                else { return [] }
                close(state.descriptor)
                state.descriptor = -1
            }
        }
    }

    private static func openNext(_ state: inout State, _ path: String) {
        let file = state.older.isEmpty ? path : state.older.removeFirst()
        state.descriptor = unsafe Glibc.open(file, O_RDONLY | O_CLOEXEC)
        state.inode = inode(file)
    }

    private static func inode(_ path: String) -> ino_t {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? status.st_ino : 0
    }

    /// Where the last `lines` records begin, and how many there are from there.
    static func tail(_ path: String, lines: Int64) -> (offset: Int64, found: Int64) {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return (0, 0) }
        defer { close(descriptor) }
        let end = lseek(descriptor, 0, SEEK_END)
        guard lines > 0 else { return (Int64(end), 0) }
        var position = end
        var found: Int64 = 0
        var chunk = Bytes(repeating: 0, count: chunkBytes)
        while position > 0 {
            let size = min(chunkBytes, position)
            position -= size
            guard unsafe pread(descriptor, &chunk, size, position) == size else {
                return (0, found)
            }
            for index in stride(from: size - 1, through: 0, by: -1)
            where chunk[index] == UInt8(ascii: "\n") && position + index + 1 < end {
                found += 1
                if found == lines { return (Int64(position + index + 1), found) }
            }
        }
        return (0, end > 0 ? found + 1 : 0)
    }
}
