import Glibc

/// A directory in memory that goes when it is no longer used.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        var template = Array("/dev/shm/martlet-keyspace-XXXXXX".utf8CString)
        path = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, unsafe mkdtemp(base) != nil else {
                preconditionFailure("mkdtemp: \(errno)")
            }
            return unsafe String(cString: base)
        }
    }

    deinit {
        Self.remove(path)
    }

    static func entries(_ path: String) -> [String] {
        guard let stream = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func remove(_ path: String) {
        for name in entries(path) {
            let inner = path + "/" + name
            if unsafe unlink(inner) != 0 { remove(inner) }
        }
        unsafe rmdir(path)
    }
}
