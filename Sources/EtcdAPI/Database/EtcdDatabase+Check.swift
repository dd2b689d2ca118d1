import Basics
import Bolt
import Glibc
import Keyspace

/// Why a database file cannot be taken, with its name and the place.
package struct EtcdDatabaseError: Error, Sendable, CustomStringConvertible {
    package var description: String

    init(_ path: String, _ reason: String) {
        description = "\(path): \(reason)"
    }
}

extension EtcdDatabase {
    private static let hashBytes = 32
    /// Whole pages come before the hash: by the remainder etcd's tools know that there is one.
    private static let pageBytes = 512

    /// Checks the SHA-256 behind the database.
    package static func checkHash(_ path: String) throws(EtcdDatabaseError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw EtcdDatabaseError(path, unsafe String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        let bytes = Int(lseek(descriptor, 0, SEEK_END))
        lseek(descriptor, 0, SEEK_SET)
        guard bytes % pageBytes == hashBytes else {
            throw EtcdDatabaseError(
                path,
                "\(bytes) bytes, which is not whole pages and a SHA-256: the file is cut off, or"
                    + " was copied from a member instead of made by `etcdctl snapshot save`"
                    + " (--skip-hash-check takes it all the same)")
        }
        let computed = hash(descriptor, bytes: bytes - hashBytes)
        var stored = Bytes(repeating: 0, count: hashBytes)
        let count = unsafe stored.withUnsafeMutableBytes {
            unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
        }
        guard let computed, count == hashBytes else {
            throw EtcdDatabaseError(path, unsafe String(cString: strerror(errno)))
        }
        guard computed == stored else {
            throw EtcdDatabaseError(
                path,
                "the bytes up to \(bytes - hashBytes) have SHA-256 \(computed.hex), those behind"
                    + " them say \(stored.hex): the file is damaged")
        }
    }
}
