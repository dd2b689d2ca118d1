package import Basics
import Glibc
package import Keyspace

/// The file that a snapshot from a peer is received into.
///
/// What came before a broken link or a killed process stays, and the next transfer of the same
/// snapshot goes on behind it. Bytes that a power cut lost or the disk changed are found when the
/// whole is checked; then the file goes, and the next transfer begins anew.
package final class SnapshotIntake {
    /// What is here of an earlier transfer.
    package private(set) var resumePoint = SnapshotResumePoint.nothing
    private let directory: ReplicaDirectory
    private let path: String
    private var descriptor: Int32
    private var hasBegun = false

    package init(_ directory: ReplicaDirectory, from peer: UInt64) throws(ReplicaFailure) {
        self.directory = directory
        path = directory.incoming(from: peer)
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        // A connection that nobody has noticed to be dead may still write there: it keeps that
        // file, which loses its name.
        if descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            close(descriptor)
            unsafe unlink(path)
            descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if descriptor >= 0 { flock(descriptor, LOCK_EX | LOCK_NB) }
        }
        guard descriptor >= 0 else { throw FileSystem.failure("cannot make", path) }
        let bytes = lseek(descriptor, 0, SEEK_END)
        if bytes > 0, let identity = try? SnapshotFile.identity(path) {
            resumePoint = SnapshotResumePoint(identity: identity, offset: UInt64(bytes))
        }
    }

    deinit {
        interrupt()
    }

    /// Where the sender goes on: at most where this file ends, and only with the same snapshot.
    package func begin(_ point: SnapshotResumePoint) throws(ReplicaFailure) {
        let isResumed =
            point.identity == resumePoint.identity && point.offset <= resumePoint.offset
        guard !hasBegun, point.offset == 0 || isResumed else {
            throw ReplicaFailure(nil, "a snapshot that begins at byte \(point.offset)")
        }
        guard ftruncate(descriptor, off_t(point.offset)) == 0,
            lseek(descriptor, off_t(point.offset), SEEK_SET) >= 0
        else { throw FileSystem.failure("cannot write", path) }
        hasBegun = true
    }

    package func append(_ bytes: Bytes) throws(ReplicaFailure) {
        guard hasBegun else { throw ReplicaFailure(nil, "a snapshot's chunk before its begin") }
        do throws(ReplicaFailure) {
            try FileSystem.write(bytes, to: descriptor, path)
        } catch {
            discard()
            throw error
        }
    }

    /// The stream ended too early: what came stays.
    package func interrupt() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    private func discard() {
        interrupt()
        unsafe unlink(path)
    }

    /// Verifies the whole file, puts it in place, synced, and makes a keyspace of it beside the
    /// one in use, so that the replica's thread only has to swap the two. Takes its time.
    package func finish() throws(ReplicaFailure) -> (path: String, header: SnapshotHeader) {
        do throws(ReplicaFailure) {
            guard hasBegun else { throw ReplicaFailure(nil, "a snapshot's end before its begin") }
            let header: SnapshotHeader
            do throws(KeyspaceError) {
                header = try SnapshotFile.verify(path)
            } catch {
                throw ReplicaFailure(error)
            }
            try FileSystem.sync(descriptor, path)
            let place = directory.snapshot(index: header.index)
            try FileSystem.rename(path, place)
            interrupt()
            // Parts of other snapshots, from members that led before.
            for name in try FileSystem.names(in: directory.snapshots)
            where name.hasSuffix(".incoming") {
                try FileSystem.remove(directory.snapshots + "/" + name)
            }
            try FileSystem.syncDirectory(directory.snapshots)
            try directory.prepareKeyspace(bySnapshot: place, index: header.index)
            return (place, header)
        } catch {
            discard()
            throw error
        }
    }
}
