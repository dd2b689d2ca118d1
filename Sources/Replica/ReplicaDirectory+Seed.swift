import Basics
import Keyspace
import Raft
import WriteAheadLog

extension ReplicaDirectory {
    /// Lays out the directory, which exists and is empty, so that a replica that starts in it goes
    /// on from a snapshot file as a member of a new cluster.
    ///
    /// - Parameter members: the new cluster's, the same for each of its replicas.
    package func seed(
        snapshot file: String, clusterID: UInt64, memberID: UInt64, members: [ReplicaMember]
    ) throws(ReplicaFailure) {
        do {
            try prepare()
            try SnapshotFile.restore(file, into: keyspace)
            try BootMark.markRunning(directory: keyspace)
            let state = try Keyspace.open(directory: keyspace)
            defer { state.stop() }
            try state.setMeta(
                Keyspace.membershipName, ClusterMembers(initial: members).encoded())
            // The file given names the old cluster and its members.
            let stream = try state.snapshot(clusterID: clusterID)
            try SnapshotFile.save(stream, to: snapshot(index: stream.header.index))
            try begin(log: clusterID, after: stream.header)
            try state.sync()
            try BootMark.markClean(directory: keyspace)
            try write(
                ReplicaIdentity(clusterID: clusterID, memberID: memberID, isJoining: false))
        } catch {
            throw ReplicaFailure(wrapping: error)
        }
    }

    /// A log that says: everything up to the snapshot's entry is committed and gone.
    private func begin(log clusterID: UInt64, after header: SnapshotHeader) throws(LogError) {
        let (log, _) = try WriteAheadLog.open(
            DirectoryLogFiles(path: log), clusterID: clusterID)
        defer { log.close() }
        let state = HardState(term: max(1, header.term), vote: 0, commit: header.index)
        try log.append(hardState: state, entries: [])
        try log.mark(
            SnapshotMark(index: header.index, term: header.term, isInstalled: true))
        try log.sync()
    }
}
