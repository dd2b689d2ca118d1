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
    private static let damaged = "damaged"

    /// What the mark says of the file.
    package enum Verdict: Sendable, Hashable {
        /// It is as it was left, or there is none.
        case trusted
        /// The operating system may have crashed with parts of it unwritten.
        case unsynced
        /// It has to be rebuilt, for this reason.
        case damaged(String)
    }

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
        try verdict(directory: directory) == .trusted
    }

    package static func verdict(directory: String) throws(KeyspaceError) -> Verdict {
        guard Files.exists(directory + "/" + Keyspace.fileName) else { return .trusted }
        let crashes = try CrashCount.read(directory)
        guard crashes < CrashCount.crashesMax else {
            return .damaged("the process crashed \(crashes) times with the file open")
        }
        guard let mark = try Files.read(directory + "/" + fileName) else { return .unsynced }
        let lines = String(decoding: mark, as: UTF8.self).split(separator: "\n", maxSplits: 1)
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 2 else { return .unsynced }
        if words[0] == clean { return .trusted }
        if words[0] == damaged {
            let reason = lines.count > 1 ? lines[1].prefix { $0 != "\n" } : "for no known reason"
            return .damaged(String(reason))
        }
        let bootID = try currentBootID()
        return words[0] == running && words[1] == bootID ? .trusted : .unsynced
    }

    /// Before `Keyspace.open`: from now on the file is not synced.
    package static func markRunning(directory: String) throws(KeyspaceError) {
        try write(running, directory)
    }

    /// After `Keyspace.sync` and the last apply.
    package static func markClean(directory: String) throws(KeyspaceError) {
        try Files.remove(directory + "/" + CrashCount.fileName)
        try write(clean, directory)
    }

    /// The file has to be rebuilt at the next start. The reason is one line.
    package static func markDamaged(
        directory: String, _ reason: String
    ) throws(KeyspaceError) {
        let line = reason.split(separator: "\n").joined(separator: " ")
        try write(damaged, directory, then: line + "\n")
    }

    /// Removes the keyspace file and the mark; the directory is then as new.
    package static func discard(directory: String) throws(KeyspaceError) {
        // The mark goes last: without it a file that is left is not trusted.
        for name in [Keyspace.fileName, "lock.mdb", CrashCount.fileName, fileName] {
            try Files.remove(directory + "/" + name)
        }
        try Files.syncDirectory(directory)
    }

    private static func write(
        _ word: String, _ directory: String, then rest: String = ""
    ) throws(KeyspaceError) {
        let text = "\(word) \(try currentBootID())\n\(rest)"
        try Files.replace(directory + "/" + fileName, Bytes(text.utf8))
    }
}
