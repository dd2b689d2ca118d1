import Basics
import Raft

/// Somebody who was a member a moment ago.
struct Leaver {
    var member: ReplicaMember
    var untilTick: UInt64
}

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

    private static let farewellTicks: UInt64 = 4

    /// A change is about to take members out. Connections to them, and this replica if it is one of
    /// them, go on for some ticks, so that what is said last arrives: who is out, and what became
    /// of what they asked for.
    func noteRemovals(after next: Membership) {
        for member in addressed.members where !next.contains(member.id) {
            leavers.append(Leaver(member: member, untilTick: ticks + Self.farewellTicks))
        }
    }

    /// Everybody to be connected with.
    func connect() {
        environment.setMembers(
            ClusterMembers(
                membership: addressed.membership,
                members: addressed.members + leavers.map(\.member)))
    }

    func dismissLeavers() throws(ReplicaFailure) {
        guard leavers.contains(where: { $0.untilTick <= ticks }) else { return }
        if leavers.contains(where: { $0.member.id == memberID && $0.untilTick <= ticks }) {
            throw .removed(settings.directory)
        }
        leavers.removeAll { $0.untilTick <= ticks }
        connect()
    }
}
