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
        /// The operating system may have crashed with parts of it unwritten. Steady points of this
        /// opening are of use; nil if the mark does not tell.
        case unsynced(opening: UInt64?)
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
        guard let mark = try read(directory) else { return .unsynced(opening: nil) }
        switch mark.word {
        case clean: return .trusted
        case damaged: return .damaged(mark.reason ?? "for no known reason")
        case running:
            let isSameBoot = try mark.bootID == currentBootID()
            return isSameBoot ? .trusted : .unsynced(opening: mark.opening)
        default: return .unsynced(opening: nil)
        }
    }

    /// Before `Keyspace.open`: from now on the file is not synced. Answers the number of this
    /// opening; that of the last one if it is continued.
    @discardableResult
    package static func markRunning(
        directory: String, continues: Bool = false
    ) throws(KeyspaceError) -> UInt64 {
        var opening = try read(directory)?.opening ?? 0
        if !continues { opening += 1 }
        try write(running, opening, directory)
        return opening
    }

    /// After `Keyspace.sync` and the last apply.
    package static func markClean(directory: String) throws(KeyspaceError) {
        try Files.remove(directory + "/" + CrashCount.fileName)
        try write(clean, try read(directory)?.opening ?? 0, directory)
    }

    /// The file has to be rebuilt at the next start. The reason is one line.
    package static func markDamaged(
        directory: String, _ reason: String
    ) throws(KeyspaceError) {
        let line = reason.split(separator: "\n").joined(separator: " ")
        let opening = try read(directory)?.opening ?? 0
        try write(damaged, opening, directory, then: line + "\n")
    }

    /// Removes the keyspace file and the mark; the directory is then as new.
    package static func discard(directory: String) throws(KeyspaceError) {
        // The mark goes last: without it a file that is left is not trusted.
        for name in [
            Keyspace.fileName, "lock.mdb", SteadyPoints.fileName, CrashCount.fileName, fileName,
        ] {
            try Files.remove(directory + "/" + name)
        }
        try Files.syncDirectory(directory)
    }

    private struct Mark {
        var word: String
        var bootID: String
        var opening: UInt64
        var reason: String?
    }

    /// nil if there is none, or one of another form.
    private static func read(_ directory: String) throws(KeyspaceError) -> Mark? {
        guard let bytes = try Files.read(directory + "/" + fileName) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3, let opening = UInt64(words[2]) else { return nil }
        return Mark(
            word: String(words[0]), bootID: String(words[1]), opening: opening,
            reason: lines.count > 1 ? String(lines[1]) : nil)
    }

    private static func write(
        _ word: String, _ opening: UInt64, _ directory: String, then rest: String = ""
    ) throws(KeyspaceError) {
        let text = "\(word) \(try currentBootID()) \(opening)\n\(rest)"
        try Files.replace(directory + "/" + fileName, Bytes(text.utf8))
    }
}
