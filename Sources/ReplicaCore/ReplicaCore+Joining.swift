import Basics
import Raft

extension ReplicaCore {
    /// A peer dialled this replica, which does not know the members yet, as member `asID`.
    func greeted(_ id: UInt64, _ name: String, as asID: UInt64) throws(ReplicaFailure) {
        if memberID == 0 {
            try environment.join(as: asID)
            memberID = asID
            environment.setOwnID(asID)
            raft = Raft(
                raftConfiguration(), Raft.InitialState(membership: Membership(voters: [])))
        }
        guard !isStateKnown,
            var member = settings.members.first(where: { $0.name == name })
        else { return }
        member.id = id
        greeters.removeAll { $0.name == name }
        greeters.append(member)
        // Nobody is a voter here: only connections are made of this.
        environment.setMembers(
            ClusterMembers(membership: Membership(voters: []), members: greeters))
    }

    /// A change is applied by which this replica is no member any more. It goes on for some ticks,
    /// so that what it says last gets out.
    func noteRemoval(before: Membership, after: Membership) {
        guard memberID != 0, before.contains(memberID), !after.contains(memberID) else { return }
        removedAtTick = ticks
    }

    func endIfRemoved() throws(ReplicaFailure) {
        guard let removedAtTick, ticks >= removedAtTick + 4 else { return }
        throw .removed(settings.directory)
    }
}

extension ReplicaFailure {
    static func removed(_ directory: String) -> ReplicaFailure {
        ReplicaFailure(
            .foreignDirectory,
            "this replica was removed from the cluster; \(directory) is of no more use to it")
    }
}
