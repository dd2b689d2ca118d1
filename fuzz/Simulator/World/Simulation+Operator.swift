import Basics
import Raft
import ReplicaCore
import WriteAheadLog

/// What an operator does about replicas that do not come back by themselves: empties their
/// directory and has them replaced, as the runbook says.
extension Simulation {
    func operatorLooks() throws(Violation) {
        queue.add(.operatorLooks, at: now + 300_000)
        for replica in replicas where replica.condition != .good && !replica.isGone {
            if replica.condition == .broken {
                try empty(replica)
            } else if replica.process == nil {
                continue
            } else if let id = replica.process?.core.memberID, let leader = currentLeader,
                let members = leader.process?.core.raft?.appliedMembership
            {
                if members.voters.contains(id) {
                    replaced(replica)
                } else if id != 0, !members.contains(id), replacing == nil, isKnown(replica) {
                    // Replaced once more while nobody could reach it: its id is nobody's.
                    end(replica)
                    replica.condition = .broken
                } else if replacing == nil {
                    ask(replica)
                }
            }
        }
    }

    /// Whether the replica once had a place among the members under its new id.
    private func isKnown(_ replica: SimulatedReplica) -> Bool {
        replica.process?.environment.keyspace != nil
    }

    private func replaced(_ replica: SimulatedReplica) {
        trace("operator: \(replica.number) votes again")
        replica.condition = .good
        if replacing == replica.number { replacing = nil }
    }

    private func empty(_ replica: SimulatedReplica) throws(Violation) {
        trace("operator: empties \(replica.number)")
        do throws(ReplicaFailure) {
            for path in [
                replica.directory.keyspace, replica.directory.snapshots,
                replica.directory.keyspaceInMaking,
            ] { try FileSystem.removeTree(path) }
            try FileSystem.remove(replica.directory.identity)
        } catch {
            throw .correctness("cannot empty a directory: \(error)")
        }
        replica.files.removeAll()
        replica.durable = LogMirror()
        replica.inFlight = []
        replica.isDamaged = false
        replica.lastMemberID = 0
        replica.condition = .beingReplaced
        try start(replica)
    }

    private func ask(_ replica: SimulatedReplica) {
        guard let leader = currentLeader else { return }
        replacing = replica.number
        trace("operator: asks \(leader.number) to replace \(replica.number)")
        let number = replica.number
        let world = OneThread(self)
        let deadline = leader.clock.time(at: now).advanced(milliseconds: 10_000)
        let epoch = leader.epoch
        tell(
            leader,
            .question(
                PendingQuestion(
                    question: .replaceMember(replica.settings.name), deadline: deadline
                ) { result in
                    let isDone: Bool = if case .success = result { true } else { false }
                    world.value.queue.add(
                        .operatorHeard(number, isDone: isDone), at: world.value.now + 1_000)
                }))
        // A leader that crashes never answers.
        queue.add(.operatorHeard(number, isDone: false), at: now + 12_000_000 + UInt64(epoch % 2))
    }

    func operatorHeard(_ number: Int, _ isDone: Bool) {
        guard replacing == number else { return }
        trace("operator: \(isDone ? "replaced" : "could not replace") \(number)")
        replacing = nil
        if isDone { replicas[number - 1].condition = .good }
    }
}
