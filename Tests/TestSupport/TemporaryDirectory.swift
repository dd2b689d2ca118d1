package import Basics
import Glibc
import Testing

/// A directory in memory that goes when it is no longer used.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() {
        var template = Array("/dev/shm/martlet-test-XXXXXX".utf8CString)
        path = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, unsafe mkdtemp(base) != nil else {
                preconditionFailure("mkdtemp: \(errno)")
            }
            return unsafe String(cString: base)
        }
    }

    deinit {
        remove()
    }

    /// At once, for whoever cannot wait until nothing refers to it any more.
    package func remove() {
        Self.remove(path)
    }

    package func makeDirectory(_ name: String) throws {
        try #require(unsafe mkdir(path + "/" + name, 0o700) == 0)
    }

    /// The bytes of a file in the directory.
    package func read(_ name: String) throws -> Bytes {
        let file = unsafe open(path + "/" + name, O_RDONLY)
        try #require(file >= 0)
        defer { close(file) }
        var bytes = Bytes(repeating: 0, count: 1 << 24)
        let count = unsafe Glibc.read(file, &bytes, bytes.count)
        try #require(count >= 0 && count < bytes.count)
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    package func write(_ name: String, _ bytes: Bytes) throws {
        let file = unsafe open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        try #require(unsafe Glibc.write(file, bytes, bytes.count) == bytes.count)
    }

    package func delete(_ name: String) throws {
        try #require(unsafe unlink(path + "/" + name) == 0)
    }

    package static func entries(_ path: String) -> [String] {
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
