package import Raft
package import ReplicaCore

/// What is so of the members of a cluster after every change.
package enum MemberInvariants {
    /// No two have a name or an address in common: a replica would not know which of them it is.
    package static func check(_ members: [ReplicaMember]) throws(Violation) {
        guard Set(members.map(\.name)).count == members.count,
            Set(members.map(\.peerAddress)).count == members.count
        else {
            let names = members.map { "\($0.id) \($0.name) at \($0.peerAddress)" }
            throw .correctness("two members have the same name or address: \(names)")
        }
    }

    /// A change of members was applied. What comes of it is said once more, in other words: whoever
    /// is removed has no vote, and of two memberships that follow each other either all majorities
    /// have a member in common, or the later one needs a majority of the voters before it, too.
    package static func check(
        _ change: MembershipChange, from before: Membership, to after: Membership
    ) throws(Violation) {
        let right = outcome(of: change, on: before)
        guard after == right else {
            throw .correctness(
                "members: \(change) makes \(before) to \(after), which has to be \(right)")
        }
    }

    private enum Role { case voter, learner, joining }

    private static func outcome(
        of change: MembershipChange, on before: Membership
    ) -> Membership {
        var roles: [UInt64: Role] = [:]
        for id in before.voters { roles[id] = .voter }
        for id in before.learners {
            roles[id] = before.joining.contains(id) ? .joining : .learner
        }
        for step in change.steps {
            switch step.action {
            case .addVoter: roles[step.id] = .voter
            case .addLearner: roles[step.id] = .learner
            case .remove: roles[step.id] = nil
            case .join: roles[step.id] = roles[step.id] == .voter ? .voter : .joining
            }
        }
        let ids = Set(before.all + change.steps.map(\.id)).sorted()
        let voters = ids.filter { roles[$0] == .voter }
        // Without steps it ends the joint membership.
        let moved = Set(before.voters).symmetricDifference(voters).count
        return Membership(
            voters: voters, outgoing: moved > 1 ? before.voters : [],
            learners: ids.filter { roles[$0] == .learner || roles[$0] == .joining },
            joining: ids.filter { roles[$0] == .joining })
    }

    /// A replica without data takes up an id. What a voter promised must not be forgotten.
    package static func checkJoining(
        _ replica: Int, as id: UInt64, in membership: Membership
    ) throws(Violation) {
        guard membership.isVoter(id) else { return }
        throw .correctness("\(replica), which is empty, takes up the voter \(id)")
    }
}
