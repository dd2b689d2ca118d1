import Basics
import Keyspace
import Raft

/// A change of members under way, while this replica leads. What is next follows from the members
/// and the progress alone, so that a step that was refused or lost is taken again.
struct MemberTask {
    enum Goal {
        /// The context of the change: the member's particulars.
        case isMember(ReplicaMember, staysLearner: Bool)
        case isGone(UInt64)
        case isVoter(UInt64)
        case isKnownAs(ReplicaMember)
        /// These ids vote and nobody else is a member. The particulars of those that are new.
        case are([UInt64], newcomers: [ReplicaMember])
        /// The member of this name has this id and votes.
        case isReplaced(ReplicaMember)
        /// The learner of this name has this id.
        case isLearnerReplaced(ReplicaMember)
    }

    enum Next {
        case wait
        case propose(MembershipChange)
        /// The answer: the id that was asked for.
        case done(UInt64)
    }

    let request: MemberRequest
    /// nil until what earlier changes did is applied: the request is checked against that, so that
    /// no name or address is taken twice.
    var goal: Goal?
    let deadline: MonotonicTime
    let done: @Sendable (Result<Int64, StoreError>) -> Void

    func next(_ cluster: ClusterMembers, _ progress: [MemberProgress]) -> Next {
        let membership = cluster.membership
        guard !membership.isJoint else { return .wait }
        switch goal {
        case nil: return .wait
        case .isMember(let member, let staysLearner):
            if membership.contains(member.id) { return .done(member.id) }
            let context = member.encoded()
            return .propose(
                staysLearner
                    ? .addLearner(member.id, context: context) : .join(member.id, context: context))
        case .isGone(let id):
            return membership.contains(id) ? .propose(.remove(id)) : .done(id)
        case .isVoter(let id):
            return membership.voters.contains(id) ? .done(id) : .propose(.addVoter(id))
        case .isKnownAs(let member):
            if cluster.member(member.id) == member { return .done(member.id) }
            return .propose(Self.renewal(of: member, in: membership))
        case .are(let voters, let newcomers):
            return next(membership, progress, voters: voters, newcomers: newcomers)
        case .isReplaced(let member):
            if membership.voters.contains(member.id) { return .done(member.id) }
            if membership.contains(member.id) { return .wait }
            if let old = cluster.member(named: member.name) { return .propose(.remove(old.id)) }
            return .propose(.join(member.id, context: member.encoded()))
        case .isLearnerReplaced(let member):
            if membership.contains(member.id) { return .done(member.id) }
            let old = cluster.member(named: member.name)
            return .propose(
                MembershipChange(
                    (old.map { [.init(.remove, $0.id)] } ?? []) + [
                        .init(.addLearner, member.id, context: member.encoded())
                    ]))
        }
    }

    private func next(
        _ membership: Membership, _ progress: [MemberProgress], voters: [UInt64],
        newcomers: [ReplicaMember]
    ) -> Next {
        let unknown = newcomers.filter { !membership.contains($0.id) }
        guard unknown.isEmpty else {
            return .propose(
                MembershipChange(
                    unknown.map { .init(.addLearner, $0.id, context: $0.encoded()) }))
        }
        let isReady = voters.allSatisfy { id in
            membership.voters.contains(id)
                || progress.contains { $0.id == id && $0.hasCaughtUp }
        }
        guard isReady else { return .wait }
        guard let change = membership.change(to: Membership(voters: voters)) else {
            return .done(0)
        }
        return .propose(change)
    }

    /// A change that leaves the member what it is and carries its new particulars.
    private static func renewal(
        of member: ReplicaMember, in membership: Membership
    ) -> MembershipChange {
        let action: MembershipChange.Action =
            membership.voters.contains(member.id)
            ? .addVoter : membership.joining.contains(member.id) ? .join : .addLearner
        return MembershipChange([.init(action, member.id, context: member.encoded())])
    }
}
