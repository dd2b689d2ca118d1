package import Keyspace

/// The keyspace of a directory, changed as a whole.
extension ReplicaDirectory {
    /// Makes a keyspace of a snapshot file, and puts it in the place of what is there.
    package func replaceKeyspace(
        bySnapshot file: String, _ identity: ReplicaIdentity, options: Keyspace.Options
    ) throws(ReplicaFailure) -> Keyspace {
        do {
            try SnapshotFile.restore(file, into: keyspaceInMaking)
            try FileSystem.removeTree(keyspace)
            try FileSystem.rename(keyspaceInMaking, keyspace)
            try FileSystem.syncDirectory(path)
            try write(identity)
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

    package func removeSnapshots(before index: UInt64) throws(ReplicaFailure) {
        for old in try snapshotIndexes() where old < index {
            try FileSystem.remove(snapshot(index: old))
        }
    }
}
