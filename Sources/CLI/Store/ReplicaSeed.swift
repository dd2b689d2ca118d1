import Basics
import Replica

/// Lays out a replica's directory from a snapshot, before the replica's first start.
enum ReplicaSeed {
    static func lay(
        snapshot: String, into path: String, layout: ClusterLayout, replica: ClusterLayout.Replica
    ) throws(CommandError) {
        do throws(ReplicaFailure) {
            try ReplicaDirectory(path).seed(
                snapshot: snapshot, clusterID: layout.clusterID, memberID: replica.memberID,
                members: layout.replicaMembers)
        } catch {
            throw CommandError(error.description, exitCode: error.exitCode)
        }
    }
}

extension ClusterLayout {
    /// The members as a replica's configuration names them.
    var replicaMembers: [ReplicaMember] {
        let scheme = isPlaintext ? "http" : "https"
        return replicas.map { replica in
            ReplicaMember(
                id: replica.memberID, name: replica.name, peerHost: "127.0.0.1",
                peerPort: replica.peerPort,
                clientURLs: ["\(scheme)://127.0.0.1:\(replica.storePort)"])
        }
    }
}
