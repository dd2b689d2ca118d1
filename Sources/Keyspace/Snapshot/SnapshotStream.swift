package import Basics

/// Frames of a snapshot file in order; their concatenation is the file.
package final class SnapshotStream {
    package let header: SnapshotHeader
    init(header: SnapshotHeader) { self.header = header }
    /// The next frame, of about 256 KiB at most; nil after the last.
    package func next() throws(KeyspaceError) -> Bytes? { fatalError() }
}
