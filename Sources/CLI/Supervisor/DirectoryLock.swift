import Glibc

/// Keeps two supervisors off one data directory; the kernel lets go of it with the process.
struct DirectoryLock {
    private let descriptor: Int32

    init(path: String) throws(CommandError) {
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Files.failure("cannot open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw CommandError("another `martlet up` runs on this directory: \(path) is locked")
        }
    }

    func release() {
        close(descriptor)
    }
}
