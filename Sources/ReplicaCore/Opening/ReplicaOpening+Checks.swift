import Basics
import Keyspace

/// Whose state the directory holds, and whether it is to be shown.
extension ReplicaOpening {
    /// A file that somebody put in the place of ours would pass every other check.
    func checkCluster(of keyspace: Keyspace) throws {
        let own = ReplicaDirectory.digits(settings.clusterID)
        guard let found = try keyspace.meta(Keyspace.clusterName) else {
            return try keyspace.setMeta(Keyspace.clusterName, Bytes(own.utf8))
        }
        let cluster = String(decoding: found, as: UTF8.self)
        guard cluster != own else { return }
        keyspace.stop()
        throw ReplicaFailure(
            .foreignDirectory,
            "\(directory.keyspace)/\(Keyspace.fileName) belongs to cluster \(cluster),"
                + " not to \(own)"
        )
    }

    /// Whether the state is known to be another than the cluster's.
    func noteOfDivergence() throws(ReplicaFailure) -> Bool {
        guard let text = try FileSystem.read(directory.diverged) else { return false }
        settings.notice(
            String(decoding: text.prefix { $0 != 10 }, as: UTF8.self)
                + ": the leader's snapshot will take its place")
        return true
    }
}
