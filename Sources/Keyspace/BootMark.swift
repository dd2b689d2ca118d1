/// Whether the keyspace file of a directory can be trusted after the last stop.
///
/// LMDB runs without syncs: its file survives a killed process, but not a crash of the
/// operating system. The mark holds the boot id under which the file was opened, and whether it
/// was synced and closed since.
package enum BootMark {
    /// `MARTLET_BOOT_ID_FILE` names another source of the boot id, for tests.
    package static func currentBootID() throws(KeyspaceError) -> String { fatalError() }
    /// True when there is no mark and no file, when the boot id is the present one, or when the
    /// last stop was clean.
    package static func isTrusted(directory: String) throws(KeyspaceError) -> Bool {
        fatalError()
    }
    /// Before `Keyspace.open`: from now on the file is not synced.
    package static func markRunning(directory: String) throws(KeyspaceError) { fatalError() }
    /// After `Keyspace.sync` and the last apply.
    package static func markClean(directory: String) throws(KeyspaceError) { fatalError() }
    /// Removes the keyspace file; the directory is then as new.
    package static func discard(directory: String) throws(KeyspaceError) { fatalError() }
}
