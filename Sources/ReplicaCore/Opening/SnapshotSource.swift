package import Keyspace

/// The file that a replica sends as a snapshot: one of its own snapshot files, which outlives a
/// broken link and its process, so that a transfer that was cut off goes on.
package enum SnapshotSource {
    /// A transfer that was cut off goes on if its entry is at most so far behind.
    private static let entriesBehindMax: UInt64 = 5_000

    /// The file that the peer has a part of, or one made now. A file that was whole at the peer
    /// once is not sent again: it did not reach far enough.
    package static func choose(
        _ keyspace: Keyspace, in directory: ReplicaDirectory, clusterID: UInt64,
        resuming point: SnapshotResumePoint
    ) throws(ReplicaFailure) -> String {
        let oldest = keyspace.appliedIndex - min(keyspace.appliedIndex, entriesBehindMax)
        let index = point.identity.index
        if index > 0, index >= oldest, try directory.snapshotIndexes().contains(index) {
            return directory.snapshot(index: index)
        }
        do throws(KeyspaceError) {
            let stream = try keyspace.snapshot(clusterID: clusterID)
            let path = directory.snapshot(index: stream.header.index)
            try SnapshotFile.save(stream, to: path)
            return path
        } catch {
            throw ReplicaFailure(error)
        }
    }

    /// Where the chunks of a file of this size begin.
    package static func begin(
        _ path: String, bytes: UInt64, resuming point: SnapshotResumePoint
    ) throws(ReplicaFailure) -> SnapshotResumePoint {
        do throws(KeyspaceError) {
            let identity = try SnapshotFile.identity(path)
            return SnapshotResumePoint(
                identity: identity,
                offset: identity == point.identity ? min(point.offset, bytes) : 0)
        } catch {
            throw ReplicaFailure(error)
        }
    }
}
