/// Snapshots as files. `docs/formats/snapshot.md` has the bytes.
package enum SnapshotFile {
    /// Writes the stream to a temporary file beside `path`, syncs it and moves it into place.
    @discardableResult
    package static func save(
        _ stream: SnapshotStream, to path: String
    ) throws(KeyspaceError) -> SnapshotHeader { fatalError() }

    /// Reads the whole file and checks every chunk, the length and the hash over everything.
    package static func verify(_ path: String) throws(KeyspaceError) -> SnapshotHeader {
        fatalError()
    }

    /// Verifies the file, then makes `directory` (absent or empty before) a keyspace with its
    /// content, synced. Nothing is written when the file is refused.
    @discardableResult
    package static func restore(
        _ path: String, into directory: String
    ) throws(KeyspaceError) -> SnapshotHeader { fatalError() }
}
