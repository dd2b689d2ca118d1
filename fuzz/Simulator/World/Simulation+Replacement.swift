import Raft

/// A replica that lost its disk, and the new member that takes its place.
struct Replacement: Sendable {
    enum Stage: Sendable { case remove, add, promote, spread }

    var old: UInt64
    var new: UInt64
    var stage: Stage = .remove
}

extension Simulation {
    private static let replacementPeriod: UInt64 = 150_000

    /// The disk of a replica is gone. It never comes back under its name.
    func replace(_ node: Node) throws(Violation) {
        try stop(node, losesPower: true)
        node.isRetired = true
        node.state.discard()
        let new = UInt64(nodes.count) + 1
        trace("\(node.id) lost its disk, \(new) replaces it")
        try addNode(new, membership: Membership(voters: []))
        replacement = Replacement(old: node.id, new: new)
        queue.add(.replacementStep, at: now + Self.replacementPeriod)
    }

    /// What an operator would do next: remove the old member, add the new one as a learner, make it
    /// a voter when it has caught up, and wait until everybody knows.
    func advanceReplacement() throws(Violation) {
        guard var step = replacement else { return }
        queue.add(.replacementStep, at: now + Self.replacementPeriod)
        guard let leader = currentLeader else { return }
        let members = leader.raft.appliedMembership
        switch step.stage {
        case .remove where members.contains(step.old):
            _ = leader.raft.proposeMembership(.remove(step.old))
        case .remove: step.stage = .add
        case .add where !members.contains(step.new):
            _ = leader.raft.proposeMembership(.addLearner(step.new))
        case .add: step.stage = .promote
        case .promote where !members.voters.contains(step.new):
            let progress = leader.raft.progress.first { $0.id == step.new }
            if let progress, progress.match + 10 > leader.raft.lastIndex {
                _ = leader.raft.proposeMembership(.addVoter(step.new))
            }
        case .promote: step.stage = .spread
        case .spread:
            let isKnown = nodes.allSatisfy {
                $0.isRetired || ($0.isRunning && $0.raft.appliedMembership == members)
            }
            if isKnown {
                trace("\(step.new) replaced \(step.old)")
                replacement = nil
                return
            }
        }
        replacement = step
        try pump(leader)
    }
}
