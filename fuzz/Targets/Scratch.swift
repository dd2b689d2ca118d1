import Basics
import Glibc

/// Files for one check, in memory: several checks may run at once, each has a folder of its own.
enum Scratch {
    private static let folders = Locked(0)

    static func withFolder<Value>(_ body: (String) -> Value) -> Value {
        let number = folders.withLock { folders -> Int in
            folders += 1
            return folders
        }
        let path = "/dev/shm/martlet-fuzz-\(getpid())-\(number)"
        makeFolder(path)
        defer { remove(path) }
        return body(path)
    }

    static func makeFolder(_ path: String) {
        let result = unsafe mkdir(path, 0o700)
        precondition(result == 0, "cannot make \(path)")
    }

    /// A folder with all that is in it.
    private static func remove(_ path: String) {
        guard let folder = unsafe opendir(path) else { return }
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe String(
                    cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if name == "." || name == ".." { continue }
            let inner = path + "/" + name
            if unsafe unlink(inner) != 0 { remove(inner) }
        }
        unsafe closedir(folder)
        unsafe rmdir(path)
    }

    static func write(_ bytes: Bytes, to path: String) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        precondition(file >= 0, "cannot write \(path)")
        defer { close(file) }
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.write(file, $0.baseAddress, $0.count)
        }
        precondition(count == bytes.count, "cannot write \(path)")
    }

    static func read(_ path: String) -> Bytes {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        precondition(file >= 0, "cannot read \(path)")
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        var bytes = Bytes(repeating: 0, count: size)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe pread(file, $0.baseAddress, $0.count, 0)
        }
        precondition(count == size, "cannot read \(path)")
        return bytes
    }
}
