import Basics
import Raft
import ReplicaCore

/// Learners that stay what they are for a while, lose their directory and come back under their id,
/// or get another one; and replicas that are taken out again before they vote.
extension Simulation {
    func takeInLearner() throws(Violation) {
        guard let newcomer = replicas.first(where: { $0.condition == .spare }) else { return }
        lastChurn = now
        newcomer.condition = .learning
        try start(newcomer)
    }

    /// What the operator does about a learner.
    func teach(_ replica: SimulatedReplica) {
        guard let process = replica.process, let members = knownMembers, let leader = currentLeader
        else { return }
        let id = process.core.memberID
        if members.voters.contains(id) {
            // A change of all members made it one.
            replica.condition = .good
        } else if id != 0, !members.contains(id), !mayChangeID(replica) {
            trace("operator: \(replica.number) was removed or replaced")
            end(replica)
            replica.condition = .broken
        } else if let known = leader.process?.environment.status.members.first(where: {
            $0.name == replica.settings.name
        }) {
            guard !isHealed else { return }
            switch random.below(40) {
            case 0: replica.condition = .beingReplaced
            case 1...2: askLeader(.changeMembers(.replace(name: known.name)))
            case 3...10 where scenario.faults.contains(.lostLearner) && isPlainLearner(replica):
                trace("fault: lostLearner at \(replica.number)")
                coverage.note(.lostLearner, process.core.raft?.role)
                loseLearner(replica)
            default: break
            }
        } else if replacing == nil {
            ask(replica)
        }
    }

    /// A learner loses its directory, where it may matter most: while it alone has what the leader
    /// has; or once it votes, while one that led before, and still thinks so, is asleep.
    func loseLearner(_ learner: SimulatedReplica) {
        guard let leader = currentLeader else { return }
        let timeout = scenario.electionMilliseconds * 1_000
        switch random.below(3) {
        case 0:
            for other in replicas where other !== leader && other !== learner {
                network.block(leader.number, other.number)
                network.block(other.number, leader.number)
            }
            queue.add(.networkHeals, at: now + below(timeout * 2))
        case 1:
            leader.pausedUntil = now + timeout * 2 + below(6_000_000)
            learner.condition = .beingReplaced
            learner.isDoomed = true
            return
        default: break
        }
        queue.add(.directoryLost(learner.number), at: now + below(timeout))
    }

    func directoryLost(_ learner: SimulatedReplica) throws(Violation) {
        guard isPlainLearner(learner) else { return }
        end(learner)
        try lose(learner)
        restartLater(learner)
    }

    /// A learner that the operator made a voter meets its fate.
    func loseDoomed(_ replica: SimulatedReplica) {
        replica.isDoomed = false
        guard !isHealed, isAllowed(.lostDirectory, replica) else { return }
        trace("fault: \(replica.number), which votes now, loses its directory")
        coverage.note(.lostDirectory, replica.process?.core.raft?.role)
        end(replica)
        replica.condition = .broken
    }

    /// Somebody who is to vote is taken out before that; the operator has it replaced again.
    func removeJoiner(_ replica: SimulatedReplica) {
        let name = replica.settings.name
        let known = currentLeader?.process?.environment.status.members.first { $0.name == name }
        guard let known, committed.membership.joining.contains(known.id) else { return }
        askLeader(.changeMembers(.remove(known.id)))
    }
}
