import Keyspace
import Raft
import WriteAheadLog

extension ReplicaOpening {
    /// Lays out a replica that has never run, from a snapshot file: the first start of a cluster
    /// restored from it. Every member of the new cluster is laid out alike; the log begins behind
    /// the snapshot's entry.
    package static func seed(
        directory path: String, snapshot: String, clusterID: UInt64, name: String,
        members: [ReplicaMember]
    ) throws(ReplicaFailure) {
        guard let own = members.first(where: { $0.name == name }) else {
            throw ReplicaFailure(nil, "\(name) is not a member of the cluster")
        }
        let directory = ReplicaDirectory(path)
        try directory.prepare()
        do {
            let header = try SnapshotFile.restore(
                snapshot, into: directory.keyspace,
                membership: ClusterMembers(initial: members).encoded())
            try saveOwnSnapshot(directory, clusterID: clusterID)
            let (log, _) = try WriteAheadLog.open(
                DirectoryLogFiles(path: directory.log), clusterID: clusterID)
            try log.mark(
                SnapshotMark(index: header.index, term: header.term, isInstalled: true))
            let state = HardState(term: max(1, header.term), vote: 0, commit: header.index)
            try log.append(hardState: state, entries: [])
            try log.sync()
            log.close()
        } catch {
            throw ReplicaFailure(wrapping: error)
        }
        try directory.write(
            ReplicaIdentity(clusterID: clusterID, memberID: own.id, isJoining: false))
    }

    /// The log begins behind a snapshot, so a snapshot file of the new cluster must be there to
    /// rebuild from.
    private static func saveOwnSnapshot(
        _ directory: ReplicaDirectory, clusterID: UInt64
    ) throws(KeyspaceError) {
        let keyspace = try Keyspace.open(directory: directory.keyspace)
        defer { keyspace.stop() }
        let stream = try keyspace.snapshot(clusterID: clusterID)
        try SnapshotFile.save(stream, to: directory.snapshot(index: stream.header.index))
        try keyspace.sync()
        // Else the first start would build the keyspace once more.
        try BootMark.markClean(directory: directory.keyspace)
    }
}
