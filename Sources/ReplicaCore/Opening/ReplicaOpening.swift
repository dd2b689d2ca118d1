import Basics
package import Keyspace
package import Raft
package import WriteAheadLog

/// What a replica found in its directory, ready to run.
package struct OpenedReplica {
    /// 0 while the replica waits for its replacement.
    package var memberID: UInt64
    package var directory: ReplicaDirectory
    package var log: WriteAheadLog
    /// nil while the replica waits for its replacement.
    package var keyspace: Keyspace
    var cluster: ClusterMembers
    package var initial: Raft.InitialState
    /// The log of this directory is empty.
    var isNew: Bool
}

/// Brings log, keyspace and snapshot files of a directory together, by the rules of durability in
/// docs/ARCHITECTURE.md.
///
/// The keyspace file is used as it is if it can be trusted and the log reaches back to it. Else it
/// is rebuilt from the newest snapshot file that the log reaches back to, or from nothing if the
/// log is whole.
package struct ReplicaOpening {
    private let settings: ReplicaSettings
    private let directory: ReplicaDirectory

    package init(_ settings: ReplicaSettings) {
        self.settings = settings
        directory = ReplicaDirectory(settings.directory)
    }

    package func open() throws(ReplicaFailure) -> OpenedReplica {
        guard !FileSystem.exists(directory.removal) else { throw .removed(directory.path) }
        try directory.prepare()
        let identity = try directory.readIdentity()
        if let identity, identity.clusterID != settings.clusterID {
            throw ReplicaFailure(
                .foreignDirectory,
                "\(directory.path) belongs to cluster "
                    + ReplicaDirectory.digits(identity.clusterID)
                    + ", not to \(ReplicaDirectory.digits(settings.clusterID))")
        }
        let (log, recovered, keyspace) = try openState()
        let isBlank =
            recovered.lastIndex == 0 && recovered.hardState == HardState()
            && keyspace.appliedIndex == 0
        var initial = Raft.InitialState(
            hardState: recovered.hardState, membership: Membership(voters: []),
            snapshotIndex: recovered.previousIndex, snapshotTerm: recovered.previousTerm,
            entries: recovered.entries, applied: keyspace.appliedIndex)
        let memberID = try memberID(identity, isBlank: isBlank)
        let cluster = try members(keyspace, isBlank: isBlank)
        initial.membership = cluster.membership
        return OpenedReplica(
            memberID: memberID, directory: directory, log: log, keyspace: keyspace,
            cluster: cluster, initial: initial, isNew: isBlank)
    }

    private func memberID(
        _ identity: ReplicaIdentity?, isBlank: Bool
    ) throws(ReplicaFailure) -> UInt64 {
        if isBlank && settings.isNewCluster {
            guard let own = settings.members.first(where: { $0.name == settings.name })
            else {
                throw ReplicaFailure(nil, "\(settings.name) is not a member of the cluster")
            }
            try directory.write(
                ReplicaIdentity(
                    clusterID: settings.clusterID, memberID: own.id, isJoining: false))
            return own.id
        }
        guard let identity else {
            if isBlank { return 0 }
            throw ReplicaFailure(.corrupt, "\(directory.identity) is missing")
        }
        return isBlank && !identity.isJoining ? 0 : identity.memberID
    }

    /// The members as of the applied entry, with today's addresses.
    private func members(
        _ keyspace: Keyspace, isBlank: Bool
    ) throws(ReplicaFailure) -> ClusterMembers {
        do {
            if let blob = try keyspace.meta(Keyspace.membershipName), !blob.isEmpty {
                return try ClusterMembers(decoding: blob)
            }
            // The members that the cluster begins with are on every replica's keyspace from the
            // start, so that a snapshot has them.
            guard settings.isNewCluster || !isBlank else { return .none }
            let isJoining = try isJoining()
            guard keyspace.appliedIndex == 0, !isJoining else { return .none }
            let cluster = ClusterMembers(initial: settings.members)
            try keyspace.setMeta(Keyspace.membershipName, cluster.encoded())
            return cluster
        } catch let error as KeyspaceError {
            throw ReplicaFailure(error)
        } catch let error as ReplicaFailure {
            throw error
        } catch {
            throw ReplicaFailure(.corrupt, "members in \(directory.keyspace): \(error)")
        }
    }

    private func isJoining() throws(ReplicaFailure) -> Bool {
        try directory.readIdentity()?.isJoining ?? false
    }

    private typealias State = (log: WriteAheadLog, recovered: RecoveredLog, keyspace: Keyspace)

    private func openState() throws(ReplicaFailure) -> State {
        if let state = try openAsItIs() { return state }
        return try rebuild()
    }

    /// nil if the keyspace must be rebuilt.
    private func openAsItIs() throws(ReplicaFailure) -> State? {
        do {
            guard FileSystem.exists(directory.keyspace) else { return nil }
            guard try BootMark.isTrusted(directory: directory.keyspace) else { return nil }
            let keyspace = try openKeyspace()
            let applied = keyspace.appliedIndex
            let kept = min(applied, UInt64(settings.entriesInMemoryMax))
            let (log, recovered) = try openLog(skipping: applied - kept)
            if applied > recovered.lastIndex {
                throw ReplicaFailure(
                    .corrupt,
                    "the log in \(directory.log) ends at entry \(recovered.lastIndex), before"
                        + " \(applied), which is applied already")
            }
            guard applied >= recovered.previousIndex else {
                log.close()
                return nil
            }
            return (log, recovered, keyspace)
        } catch {
            throw ReplicaFailure(wrapping: error)
        }
    }

    /// From the newest snapshot file that fits the log, or from nothing.
    private func rebuild() throws(ReplicaFailure) -> State {
        do {
            try FileSystem.removeTree(directory.keyspace)
            for index in try directory.snapshotIndexes().reversed() {
                let file = directory.snapshot(index: index)
                guard let header = try? SnapshotFile.verify(file) else { continue }
                let (log, recovered) = try openLog(skipping: index)
                let fits =
                    recovered.previousIndex == index && recovered.previousTerm == header.term
                guard fits, header.clusterID == settings.clusterID else {
                    log.close()
                    continue
                }
                try SnapshotFile.restore(file, into: directory.keyspaceInMaking)
                try FileSystem.rename(directory.keyspaceInMaking, directory.keyspace)
                try FileSystem.syncDirectory(directory.path)
                return (log, recovered, try openKeyspace())
            }
            let (log, recovered) = try openLog(skipping: 0)
            guard recovered.previousIndex == 0 else {
                throw ReplicaFailure(
                    .corrupt,
                    "the keyspace cannot be rebuilt: the log in \(directory.log) begins after entry"
                        + " \(recovered.previousIndex), and no snapshot file reaches it")
            }
            return (log, recovered, try openKeyspace())
        } catch {
            throw ReplicaFailure(wrapping: error)
        }
    }

    private func openKeyspace() throws -> Keyspace {
        try FileSystem.makeDirectory(directory.keyspace)
        try BootMark.markRunning(directory: directory.keyspace)
        return try Keyspace.open(directory: directory.keyspace, options: settings.keyspace)
    }

    private func openLog(
        skipping: UInt64
    ) throws -> (log: WriteAheadLog, recovered: RecoveredLog) {
        var options = WriteAheadLog.Options()
        options.segmentBytes = settings.logSegmentBytes
        return try WriteAheadLog.open(
            settings.makeLogFiles(directory.log), clusterID: settings.clusterID,
            options: options, skipping: skipping)
    }
}
