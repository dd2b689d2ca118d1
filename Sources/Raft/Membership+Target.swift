package import Basics

extension Membership {
    /// The change that leads from this membership to `target`; nil if they have the same members.
    /// `context` is asked for every member that this membership does not have. A voter cannot be
    /// made one that joins.
    package func change(
        to target: Membership, context: (UInt64) -> Bytes = { _ in [] }
    ) -> MembershipChange? {
        precondition(!isJoint && !target.isJoint, "from \(self) to \(target)")
        precondition(!target.joining.contains { voters.contains($0) }, "from \(self) to \(target)")
        var steps: [MembershipChange.Step] = []
        for id in Set(all + target.all).sorted() where role(of: id) != target.role(of: id) {
            let action = target.role(of: id) ?? .remove
            let isNew = role(of: id) == nil
            steps.append(MembershipChange.Step(action, id, context: isNew ? context(id) : []))
        }
        return steps.isEmpty ? nil : MembershipChange(steps)
    }

    /// The action that makes a member what this one is.
    private func role(of id: UInt64) -> MembershipChange.Action? {
        if voters.contains(id) { return .addVoter }
        if joining.contains(id) { return .join }
        return learners.contains(id) ? .addLearner : nil
    }
}
