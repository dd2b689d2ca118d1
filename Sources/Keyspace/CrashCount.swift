import Basics
import CMartlet
import Glibc

/// Counts how often the process crashed while a keyspace was open: a damaged page of LMDB ends in
/// an assertion, a segmentation fault or a bus error, which no code here can catch.
///
/// The file `crashes` gets a byte from a signal handler for every such end. A killed process
/// leaves none. One crash may have had another cause; the second means the file.
package final class CrashCount: Sendable {
    package static let fileName = "crashes"
    /// With so many the keyspace is not opened again.
    static let crashesMax = 2
    /// Older ones do not count.
    private static let forgottenAfterSeconds = 600

    private let place: Int32

    /// From now on crashes count for the keyspace in `directory`.
    package init(directory: String) throws(KeyspaceError) {
        let path = directory + "/" + Self.fileName
        if Self.isOld(path) { try Files.remove(path) }
        place = unsafe martlet_note_crashes(path)
        if place < 0 { throw Files.failure("count crashes in", path) }
    }

    deinit {
        martlet_forget_crashes(place)
    }

    /// Crashes with the keyspace in `directory` open, of late.
    static func read(_ directory: String) throws(KeyspaceError) -> Int {
        let path = directory + "/" + fileName
        if isOld(path) { return 0 }
        return try Files.read(path)?.count ?? 0
    }

    private static func isOld(_ path: String) -> Bool {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_size > 0 else { return false }
        return time(nil) - status.st_mtim.tv_sec > forgottenAfterSeconds
    }
}
