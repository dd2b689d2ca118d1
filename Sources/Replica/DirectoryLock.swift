import Basics
import Glibc
import ReplicaCore

/// Keeps a second process off a replica's directory; the kernel lets go of it with the process.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    init(_ directory: ReplicaDirectory) throws(ReplicaFailure) {
        try FileSystem.makeDirectory(directory.path)
        descriptor = unsafe open(directory.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileSystem.failure("cannot open", directory.lock) }
        guard Self.take(descriptor) else {
            close(descriptor)
            throw ReplicaFailure(
                nil,
                "another process runs a replica on \(directory.path): \(directory.lock) is locked")
        }
    }

    /// Whoever restarts a process that was killed should not fail.
    private static func take(_ descriptor: Int32) -> Bool {
        let end = MonotonicTime.now().advanced(milliseconds: Limits.killedProcessMilliseconds)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, MonotonicTime.now() < end else {
                return false
            }
            usleep(20_000)
        }
        return true
    }

    deinit {
        close(descriptor)
    }
}
