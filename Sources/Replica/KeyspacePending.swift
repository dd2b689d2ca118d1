import Keyspace

extension Keyspace {
    func snapshot(clusterID: UInt64) throws(KeyspaceError) -> SnapshotStream {
        throw KeyspaceError(.inputOutput, "no snapshots yet")
    }
}
