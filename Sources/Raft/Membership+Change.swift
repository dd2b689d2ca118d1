import Basics

extension Membership {
    /// The members after `change`. What already holds is not changed.
    ///
    /// A change of more than one voter begins a joint membership; a later `.leaveJoint` ends it. Of
    /// two memberships that differ in one voter all majorities have a member in common, so that
    /// such a change needs no joint one.
    package func applying(_ change: MembershipChange) -> Membership {
        var next = self
        if change.isLeavingJoint {
            next.outgoing = []
            return next
        }
        precondition(!isJoint, "\(change) in the joint membership \(self)")
        for step in change.steps { next.take(step) }
        if Self.difference(voters, next.voters) > 1, !Mutant.isOn(.changesAtOnce) {
            next.outgoing = voters
        }
        next.checkInvariants()
        return next
    }

    /// Whether `change` may be asked for: it must leave a voter, and joint memberships must end
    /// before the next change.
    func accepts(_ change: MembershipChange) -> Bool {
        if isJoint || change.isLeavingJoint { return isJoint && change.isLeavingJoint }
        var next = self
        for step in change.steps { next.take(step) }
        return !next.voters.isEmpty
    }

    private mutating func take(_ step: MembershipChange.Step) {
        let wasVoter = voters.contains(step.id)
        if step.action != .remove || !Mutant.isOn(.removedStillVote) {
            voters.removeAll { $0 == step.id }
        }
        learners.removeAll { $0 == step.id }
        joining.removeAll { $0 == step.id }
        switch step.action {
        case .addVoter: voters = (voters + [step.id]).sorted()
        case .join where wasVoter: voters = (voters + [step.id]).sorted()
        case .join:
            learners = (learners + [step.id]).sorted()
            joining = (joining + [step.id]).sorted()
        case .addLearner: learners = (learners + [step.id]).sorted()
        case .remove: break
        }
    }

    /// How many members are in one of the lists only.
    private static func difference(_ left: [UInt64], _ right: [UInt64]) -> Int {
        left.count { !right.contains($0) } + right.count { !left.contains($0) }
    }
}
