import Glibc

/// A directory that is removed, with the files in it, together with this object.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() {
        var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
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

    private static func remove(_ path: String) {
        if let directory = unsafe opendir(path) {
            while let entry = unsafe readdir(directory) {
                let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                    unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
                }
                guard name != ".", name != ".." else { continue }
                let child = path + "/" + name
                if unsafe unlink(child) != 0 { remove(child) }
            }
            unsafe closedir(directory)
        }
        unsafe rmdir(path)
    }
}
