import Glibc
import ReplicaCore

/// Keeps a second process off a replica's directory; the kernel lets go of it with the process.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    init(_ directory: ReplicaDirectory) throws(ReplicaFailure) {
        try FileSystem.makeDirectory(directory.path)
        descriptor = unsafe open(directory.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileSystem.failure("cannot open", directory.lock) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ReplicaFailure(
                nil,
                "another process runs a replica on \(directory.path): \(directory.lock) is locked")
        }
    }

    deinit {
        close(descriptor)
    }
}
