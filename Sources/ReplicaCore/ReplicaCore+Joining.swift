import Basics
import Raft

/// Somebody who was a member a moment ago.
struct Leaver {
    var member: ReplicaMember
    var untilTick: UInt64
}

extension ReplicaCore {
    private static let greetersMax = 8

    /// A peer dialled this replica, as member `asID`.
    ///
    /// A replica that is empty, or so far behind that its members are not those of today, is sent
    /// what it lacks by a leader that it does not know, and has to answer it: etcd's remotes.
    func greeted(by peer: ReplicaMember, as asID: UInt64) throws(ReplicaFailure) {
        if memberID == 0 {
            try environment.join(as: asID)
            memberID = asID
            environment.setOwnID(asID)
            raft = Raft(
                raftConfiguration(), Raft.InitialState(membership: Membership(voters: [])))
        }
        guard cluster.member(peer.id) == nil else { return }
        var peer = peer
        readdress(&peer)
        greeters.removeAll { $0.name == peer.name }
        greeters.append(peer)
        if greeters.count > Self.greetersMax { greeters.removeFirst() }
        connect()
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

    /// Everybody to be connected with. None of the greeters is a voter here: only connections are
    /// made of them.
    func connect() {
        greeters.removeAll { cluster.member($0.id) != nil }
        let parting = leavers.map(\.member)
        let others =
            parting
            + greeters.filter { greeter in
                !parting.contains { $0.id == greeter.id }
            }
        introduced = introducible
        environment.setMembers(
            ClusterMembers(
                membership: Membership(
                    voters: addressed.membership.voters, learners: introduced),
                members: addressed.members + others))
    }

    /// The learners whose id an empty replica may take up. A voter that lost its directory must not
    /// come back under its id: what it promised is forgotten. Only the leader knows that nobody has
    /// made a voter of a learner; a follower may be behind.
    var introducible: [UInt64] {
        guard let raft, raft.role == .leader else { return [] }
        return cluster.membership.learners.filter {
            raft.membership.learners.contains($0) && !raft.membership.isVoter($0)
        }
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
