import Basics
package import Keyspace

/// Two members that take each other for the leader may send a snapshot of the same entry.
private let inPreparation = Locked<Set<String>>([])

/// The keyspace of a directory, changed as a whole.
extension ReplicaDirectory {
    /// Makes a keyspace of a snapshot file beside the one in use: takes its time, on a thread of
    /// its own, and disturbs nobody. One that is there already is whole, and of the same state.
    package func prepareKeyspace(
        bySnapshot file: String, index: UInt64
    ) throws(ReplicaFailure) {
        let prepared = keyspacePrepared(index: index)
        if FileSystem.exists(prepared) { return }
        guard inPreparation.withLock({ $0.insert(prepared).inserted }) else {
            throw ReplicaFailure(nil, "\(prepared) is in the making already")
        }
        defer { inPreparation.withLock { _ = $0.remove(prepared) } }
        do {
            try SnapshotFile.restore(file, into: prepared)
        } catch {
            throw ReplicaFailure(wrapping: error)
        }
    }

    /// Puts the keyspace of a snapshot file in the place of what is there; it is prepared, or made
    /// now.
    package func replaceKeyspace(
        bySnapshot file: String, _ identity: ReplicaIdentity, options: Keyspace.Options
    ) throws(ReplicaFailure) -> Keyspace {
        do {
            let prepared = keyspacePrepared(index: try SnapshotFile.header(file).index)
            if !FileSystem.exists(prepared) { try SnapshotFile.restore(file, into: prepared) }
            try FileSystem.removeTree(keyspace)
            try FileSystem.rename(prepared, keyspace)
            try FileSystem.syncDirectory(path)
            try write(identity)
            try FileSystem.remove(diverged)
            try BootMark.markRunning(directory: keyspace)
            return try Keyspace.open(directory: keyspace, options: options)
        } catch {
            throw ReplicaFailure(wrapping: error)
        }
    }

    /// After an orderly end: the next start trusts the keyspace file.
    package func closeCleanly(_ opened: Keyspace) throws(ReplicaFailure) {
        do throws(KeyspaceError) {
            try opened.sync()
            try BootMark.markClean(directory: keyspace)
        } catch {
            throw ReplicaFailure(error)
        }
    }

    /// After a round of the core failed: if the keyspace is damaged, the next start is told to set
    /// it aside and to build it anew. Answers what to end with, which then is not final.
    package func noteDamage(of failure: ReplicaFailure) -> ReplicaFailure {
        guard var damage = failure.damage else { return failure }
        var failure = failure
        // An entry that fails its checksum knows its table and key, not its file.
        let file = keyspace + "/" + Keyspace.fileName
        if !damage.contains(file) {
            damage = "\(file): \(damage)"
            failure.description = "\(file): \(failure.description)"
        }
        do throws(KeyspaceError) {
            try BootMark.markDamaged(directory: keyspace, damage)
            failure.fatalExit = nil
        } catch {
            failure.description += "; and it cannot be marked as damaged: \(error)"
        }
        return failure
    }

    package func removeSnapshots(before index: UInt64) throws(ReplicaFailure) {
        for old in try snapshotIndexes() where old < index {
            try FileSystem.remove(snapshot(index: old))
        }
        if index > 0 { try removePrepared(through: index - 1) }
    }
}
