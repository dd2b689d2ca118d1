import Basics
import Glibc

/// Directories for the keyspace files of a run.
package enum ScratchDirectory {
    /// A new directory in memory; empty text if there can be none.
    package static func make(name: String) -> String {
        let path = "/dev/shm/\(name)"
        remove(path)
        return unsafe mkdir(path, 0o700) == 0 ? path : ""
    }

    /// Removes a directory with all that is in it.
    package static func remove(_ path: String) {
        guard let directory = unsafe opendir(path) else {
            unsafe unlink(path)
            return
        }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe String(
                    cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        unsafe closedir(directory)
        for name in names { remove(path + "/" + name) }
        unsafe rmdir(path)
    }
}
