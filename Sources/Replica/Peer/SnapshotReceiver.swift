import Basics
import Glibc
import Keyspace
import ReplicaCore

/// Writes a snapshot that a peer streams into a file, and checks it when it is whole.
final class SnapshotReceiver: @unchecked Sendable {
    // Sendable because it is used on its event loop until the end of the stream, and by one
    // checking thread afterwards.

    /// What the last frame says.
    struct End: Sendable {
        var term: UInt64
    }

    let from: UInt64
    private let directory: ReplicaDirectory
    private let path: String
    private var descriptor: Int32

    /// nil if the file cannot be made.
    init?(_ directory: ReplicaDirectory, from: UInt64) {
        self.directory = directory
        self.from = from
        path = directory.incoming(from: from)
        // A stream from the same peer that was cut off: its file goes, its descriptor stays its.
        unsafe unlink(path)
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Takes a frame; not nil after the last.
    func take(_ frame: PeerFrame) throws(PeerProtocolError) -> End? {
        switch frame.kind {
        case .snapshotChunk:
            do throws(ReplicaFailure) {
                try FileSystem.write(frame.body, to: descriptor, path)
            } catch {
                discard()
                throw PeerProtocolError(error.description)
            }
            return nil
        case .snapshotEnd:
            var reader = ByteReader(frame.body)
            guard let term: UInt64 = try? reader.readLittleEndian("term") else {
                throw PeerProtocolError("a snapshot's end without a term")
            }
            return End(term: term)
        default:
            throw PeerProtocolError("unexpected \(frame.kind)")
        }
    }

    /// The stream ended too early.
    func discard() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        unsafe unlink(path)
    }

    /// Verifies the whole file and puts it in place, synced.
    func check(_ end: End) -> Result<(path: String, header: SnapshotHeader), ReplicaFailure> {
        do throws(ReplicaFailure) {
            let header: SnapshotHeader
            do throws(KeyspaceError) {
                header = try SnapshotFile.verify(path)
            } catch {
                throw ReplicaFailure(error)
            }
            try FileSystem.sync(descriptor, path)
            close(descriptor)
            descriptor = -1
            let place = directory.snapshot(index: header.index)
            try FileSystem.rename(path, place)
            try FileSystem.syncDirectory(directory.snapshots)
            return .success((place, header))
        } catch {
            discard()
            return .failure(error)
        }
    }
}
