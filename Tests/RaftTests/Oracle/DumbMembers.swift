import Raft

/// Members as one role for each: the oracle of `Membership+Change`, and of what a chain of changes
/// may lead to.
struct DumbMembers: Equatable {
    enum Role { case voter, learner, joining }

    var roles: [UInt64: Role] = [:]
    /// Who voted before the change under way.
    var before: Set<UInt64> = []

    init(_ membership: Membership) {
        for id in membership.voters { roles[id] = .voter }
        for id in membership.learners {
            roles[id] = membership.joining.contains(id) ? .joining : .learner
        }
        before = Set(membership.outgoing)
    }

    var voters: Set<UInt64> { Set(roles.filter { $0.value == .voter }.keys) }

    func after(_ change: MembershipChange) -> DumbMembers {
        var next = self
        if change.steps.isEmpty {
            next.before = []
            return next
        }
        for step in change.steps {
            switch step.action {
            case .addVoter: next.roles[step.id] = .voter
            case .addLearner: next.roles[step.id] = .learner
            case .remove: next.roles[step.id] = nil
            case .join: if roles[step.id] != .voter { next.roles[step.id] = .joining }
            }
        }
        if voters.symmetricDifference(next.voters).count > 1 { next.before = voters }
        return next
    }
}
