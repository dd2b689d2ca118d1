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
    /// The state is known to be another than the cluster's.
    var isDivergent: Bool
}

/// Brings log, keyspace and snapshot files of a directory together, by the rules of durability in
/// docs/ARCHITECTURE.md.
///
/// The keyspace file is used as it is if it can be trusted and the log reaches back to it. Else it
/// is rebuilt from the newest snapshot file that the log reaches back to, or from nothing if the
/// log is whole.
package struct ReplicaOpening {
    let settings: ReplicaSettings
    let directory: ReplicaDirectory

    package init(_ settings: ReplicaSettings) {
        self.settings = settings
        directory = ReplicaDirectory(settings.directory)
    }

    package func open() throws(ReplicaFailure) -> OpenedReplica {
        guard !FileSystem.exists(directory.removal) else { throw .removed(directory.path) }
        try directory.prepare()
        try directory.checkNotFailed()
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
            entries: recovered.entries, applied: keyspace.appliedIndex, lost: recovered.lost)
        let memberID = try memberID(identity, isBlank: isBlank, hadLog: !recovered.isNew)
        // A state that is lost altogether comes back as a snapshot, with the members.
        let isLost = recovered.lost != nil && recovered.lastIndex == 0
        let isKnown = memberID != 0 && !isLost
        let cluster = try isKnown ? members(keyspace, isBlank: isBlank) : .none
        initial.membership = cluster.membership
        return OpenedReplica(
            memberID: memberID, directory: directory, log: log, keyspace: keyspace,
            cluster: cluster, initial: initial, isNew: isBlank,
            isDivergent: try noteOfDivergence())
    }

    typealias State = (log: WriteAheadLog, recovered: RecoveredLog, keyspace: Keyspace)

    private func openState() throws(ReplicaFailure) -> State {
        let damage: String?
        do {
            let verdict = try BootMark.verdict(directory: directory.keyspace)
            if case .damaged(let reason) = verdict { damage = reason } else { damage = nil }
            if verdict == .trusted, let state = try openAsItIs() { return state }
        } catch let error as KeyspaceError where error.code == .corrupt {
            return try rebuild(damage: error.message)
        } catch {
            throw ReplicaFailure(wrapping: error)
        }
        return try rebuild(damage: damage)
    }

    /// nil if the keyspace must be rebuilt; throws KeyspaceError when it is damaged.
    private func openAsItIs() throws -> State? {
        guard FileSystem.exists(directory.keyspace) else { return nil }
        let keyspace = try openKeyspace()
        do {
            let applied = keyspace.appliedIndex
            let hasPeers = try hasPeers(keyspace)
            // For followers that are behind; without any the end of the log says it all.
            let keeping =
                hasPeers
                ? KeptEntries(
                    countMax: settings.entriesInMemoryMax, bytesMax: MemoryWindow.generationBytesMax
                ) : .none
            var (log, recovered) = try openLog(
                applied: applied, keyspace.appliedTerm, keeping: keeping, hasPeers: hasPeers)
            if applied > recovered.lastIndex {
                let failure = ReplicaFailure(
                    .corrupt,
                    "the log in \(directory.log) ends at entry \(recovered.lastIndex), before"
                        + " \(applied), which is applied already")
                guard hasPeers else { throw failure }
                settings.notice("\(failure): the rest comes from the other replicas")
                try log.restart(behind: applied, term: keyspace.appliedTerm, &recovered)
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

    func openKeyspace() throws -> Keyspace {
        try FileSystem.makeDirectory(directory.keyspace)
        try BootMark.markRunning(directory: directory.keyspace)
        let keyspace = try Keyspace.open(
            directory: directory.keyspace, options: settings.keyspace)
        try checkCluster(of: keyspace)
        return keyspace
    }

    /// Whether others can give back what damage costs this replica.
    private func hasPeers(_ keyspace: Keyspace) throws -> Bool {
        guard let blob = try keyspace.meta(Keyspace.membershipName), !blob.isEmpty else {
            return settings.members.count > 1
        }
        return try ClusterMembers(decoding: blob).membership.voters.count > 1
    }

    /// - Parameter applied: the entry that the keyspace is at, or will be.
    func openLog(
        applied: UInt64, _ appliedTerm: UInt64, keeping: KeptEntries = .none, hasPeers: Bool
    ) throws -> (log: WriteAheadLog, recovered: RecoveredLog) {
        var options = WriteAheadLog.Options()
        options.segmentBytes = settings.logSegmentBytes
        if let disk = FileSystem.space(of: directory.log) {
            let limits = SpaceLimits(totalBytes: disk.totalBytes)
            options.segmentBytes = min(options.segmentBytes, limits.logSegment)
        }
        let (log, recovered) = try WriteAheadLog.open(
            settings.makeLogFiles(directory.log), clusterID: settings.clusterID,
            options: options, skipping: applied, keeping: keeping,
            damage: hasPeers ? .goOn(applied: applied, term: appliedTerm) : .refuse)
        if recovered.cutBytes > 0 {
            settings.notice(
                "\(recovered.cutBytes) bytes of a write that a crash stopped were cut off the log")
        }
        if let damage = recovered.damage {
            settings.notice(
                recovered.lost == nil
                    ? "\(damage.error); nothing is missing all the same"
                    : "\(damage.error); the log goes on behind entry"
                        + " \(recovered.lastIndex), what is missing comes from the other"
                        + " replicas, and until then this one does not"
                        + " stand for election")
        }
        return (log, recovered)
    }
}
