import Basics
import Glibc

/// Whether the keyspace file of a directory can be trusted after the last stop.
///
/// LMDB runs without syncs: its file survives a killed process, but not a crash of the
/// operating system. The mark holds the boot id under which the file was opened, and whether it
/// was synced and closed since. docs/formats/keyspace.md has its bytes.
package enum BootMark {
    package static let fileName = "boot"
    private static let running = "running"
    private static let clean = "clean"

    /// `MARTLET_BOOT_ID_FILE` names another source of the boot id, for tests.
    package static func currentBootID() throws(KeyspaceError) -> String {
        var path = "/proc/sys/kernel/random/boot_id"
        if let override = unsafe getenv("MARTLET_BOOT_ID_FILE") {
            path = unsafe String(cString: override)
        }
        guard let bytes = try Files.read(path) else {
            throw KeyspaceError(.inputOutput, "no boot id in \(path)")
        }
        return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    }

    /// True when there is no keyspace file yet, when the boot id is the present one, or when the
    /// last stop was clean.
    package static func isTrusted(directory: String) throws(KeyspaceError) -> Bool {
        guard Files.exists(directory + "/" + Keyspace.fileName) else { return true }
        guard let mark = try Files.read(directory + "/" + fileName) else { return false }
        let words = String(decoding: mark, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 2 else { return false }
        if words[0] == clean { return true }
        let bootID = try currentBootID()
        return words[0] == running && words[1] == bootID
    }

    /// Before `Keyspace.open`: from now on the file is not synced.
    package static func markRunning(directory: String) throws(KeyspaceError) {
        try write(running, directory)
    }

    /// After `Keyspace.sync` and the last apply.
    package static func markClean(directory: String) throws(KeyspaceError) {
        try write(clean, directory)
    }

    /// Removes the keyspace file and the mark; the directory is then as new.
    package static func discard(directory: String) throws(KeyspaceError) {
        // The mark goes last: without it a file that is left is not trusted.
        for name in [Keyspace.fileName, "lock.mdb", fileName] {
            try Files.remove(directory + "/" + name)
        }
        try Files.syncDirectory(directory)
    }

    private static func write(_ word: String, _ directory: String) throws(KeyspaceError) {
        let text = "\(word) \(try currentBootID())\n"
        try Files.replace(directory + "/" + fileName, Bytes(text.utf8))
    }
}
