import Basics
import Keyspace
import Raft

/// Who a replica is when it starts, and who the others are.
extension ReplicaOpening {
    /// 0 if the replica has to wait for an id: it may have promised something that it forgot.
    func memberID(
        _ identity: ReplicaIdentity?, isBlank: Bool, hadLog: Bool
    ) throws(ReplicaFailure) -> UInt64 {
        if let identity {
            if !isBlank || identity.isJoining { return identity.memberID }
            // The log's first segment is durable before the identity is. With an empty segment,
            // nothing that could have been promised was ever written; without one the log is lost.
            return settings.isNewCluster && hadLog ? identity.memberID : 0
        }
        guard isBlank else {
            throw ReplicaFailure(.corrupt, "\(directory.identity) is missing")
        }
        guard settings.isNewCluster else { return 0 }
        guard let own = settings.members.first(where: { $0.name == settings.name }) else {
            throw ReplicaFailure(nil, "\(settings.name) is not a member of the cluster")
        }
        try directory.writeFounders(ClusterMembers(initial: settings.members))
        try directory.write(
            ReplicaIdentity(clusterID: settings.clusterID, memberID: own.id, isJoining: false))
        return own.id
    }

    /// The members as of the applied entry, with today's addresses.
    func members(_ keyspace: Keyspace, isBlank: Bool) throws(ReplicaFailure) -> ClusterMembers {
        do {
            if let blob = try keyspace.meta(Keyspace.membershipName), !blob.isEmpty {
                return try ClusterMembers(decoding: blob)
            }
            guard settings.isNewCluster || !isBlank else { return .none }
            let isJoining = try directory.readIdentity()?.isJoining ?? false
            guard keyspace.appliedIndex == 0, !isJoining else { return .none }
            // The members that the cluster began with are on every replica's keyspace from the
            // start, so that a snapshot has them. The settings may have others by now.
            let founders = try directory.readFounders()
            try keyspace.setMeta(Keyspace.membershipName, founders.encoded())
            return founders
        } catch let error as KeyspaceError {
            throw ReplicaFailure(error)
        } catch let error as ReplicaFailure {
            throw error
        } catch {
            throw ReplicaFailure(.corrupt, "members in \(directory.keyspace): \(error)")
        }
    }
}
