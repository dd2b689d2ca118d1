import Basics
import ReplicaCore

/// Lays out a replica's directory from a snapshot, before the replica's first start.
enum ReplicaSeed {
    static func lay(
        snapshot: String, into path: String, layout: ClusterLayout, replica: ClusterLayout.Replica
    ) throws(CommandError) {
        do {
            try ReplicaOpening.seed(
                directory: path, snapshot: snapshot, clusterID: layout.clusterID,
                name: replica.name, members: layout.members)
        } catch {
            throw CommandError(error.description, exitCode: error.exitCode)
        }
    }
}

extension ClusterLayout {
    /// The replicas as the store knows them.
    var members: [ReplicaMember] {
        let scheme = isPlaintext ? "http" : "https"
        return replicas.map { replica in
            ReplicaMember(
                id: replica.memberID, name: replica.name, peerHost: replica.host,
                peerPort: replica.peerPort,
                clientURLs: replica.storePort == 0
                    ? replica.clientURLs : ["\(scheme)://\(replica.host):\(replica.storePort)"])
        }
    }
}
