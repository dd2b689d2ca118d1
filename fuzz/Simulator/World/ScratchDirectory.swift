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

    /// Removes what processes that were killed have left behind; names end with their ids.
    package static func removeOrphans(prefix: String) {
        for name in names(in: "/dev/shm") where name.hasPrefix(prefix) {
            guard let process = pid_t(name.dropFirst(prefix.count)), kill(process, 0) != 0 else {
                continue
            }
            remove("/dev/shm/" + name)
        }
    }

    private static func names(in path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe String(
                    cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes a directory with all that is in it.
    package static func remove(_ path: String) {
        for name in names(in: path) { remove(path + "/" + name) }
        if unsafe rmdir(path) != 0 { unsafe unlink(path) }
    }
}
