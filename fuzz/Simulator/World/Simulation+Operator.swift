import Basics
import Raft
import ReplicaCore
import WriteAheadLog

/// What an operator does about replicas that do not come back by themselves: empties their
/// directory and has them replaced, as the runbook says.
extension Simulation {
    func operatorLooks() throws(Violation) {
        queue.add(.operatorLooks, at: now + 300_000)
        if isHealed { try checkLeases() }
        decideWhoIsWrong()
        for replica in replicas where !replica.isGone {
            switch replica.condition {
            case .spare: break
            case .good:
                if isRemoved(replica) {
                    trace("operator: \(replica.number) was removed")
                    end(replica)
                    replica.condition = .broken
                } else if let process = replica.process, process.core.memberID == 0 {
                    trace("operator: \(replica.number) waits for its replacement")
                    replica.condition = .beingReplaced
                }
            case .learning: teach(replica)
            case .broken: try empty(replica)
            case .beingReplaced: lookAfter(replica)
            }
        }
    }

    /// The members, from a leader that has applied all there is.
    var knownMembers: Membership? {
        guard let process = currentLeader?.process, process.applied == committed.lastIndex else {
            return nil
        }
        return process.core.raft?.appliedMembership
    }

    private func isRemoved(_ replica: SimulatedReplica) -> Bool {
        guard let members = knownMembers, let id = replica.process?.core.memberID, id != 0 else {
            return false
        }
        return !members.contains(id)
    }

    private func lookAfter(_ replica: SimulatedReplica) {
        guard let id = replica.process?.core.memberID, let members = knownMembers else { return }
        if members.voters.contains(id) {
            replaced(replica)
        } else if id != 0, !members.contains(id), replacing == nil, !mayChangeID(replica) {
            // Replaced once more, while nobody could reach it: what it has is of nobody's id.
            end(replica)
            replica.condition = .broken
        } else if replacing == nil {
            ask(replica)
        }
    }

    func mayChangeID(_ replica: SimulatedReplica) -> Bool {
        replica.process?.core.raft?.mayChangeID ?? true
    }

    private func replaced(_ replica: SimulatedReplica) {
        trace("operator: \(replica.number) votes again")
        replica.condition = .good
        if replacing == replica.number { replacing = nil }
        if replica.isDoomed { loseDoomed(replica) }
    }

    private func empty(_ replica: SimulatedReplica) throws(Violation) {
        replica.lostLogs.append((replica.lastMemberID, replica.durable))
        try lose(replica)
        replica.condition = .beingReplaced
        try start(replica)
    }

    /// The directory is empty from now on.
    func lose(_ replica: SimulatedReplica) throws(Violation) {
        trace("the directory of \(replica.number) is emptied")
        do throws(ReplicaFailure) {
            for path in [
                replica.directory.keyspace, replica.directory.snapshots,
                replica.directory.keyspaceInMaking, replica.directory.damagedKeyspace,
            ] { try FileSystem.removeTree(path) }
            try FileSystem.remove(replica.directory.identity)
            try FileSystem.remove(replica.directory.founders)
            try FileSystem.remove(replica.directory.removal)
        } catch {
            throw .correctness("cannot empty a directory: \(error)")
        }
        replica.life += 1
        replica.files.removeAll()
        replica.durable = LogMirror()
        replica.inFlight = []
        replica.lastMemberID = 0
        replica.isWrong = false
    }

    func ask(_ replica: SimulatedReplica) {
        guard let leader = currentLeader else { return }
        replacing = replica.number
        trace(
            "operator: asks \(leader.number) to replace \(replica.number); members are "
                + "\(leader.process?.core.raft?.membership, default: "unknown"), it follows "
                + "\(leader.process?.core.raft?.progress.map(\.id) ?? [])")
        let number = replica.number
        let request = request(for: replica, leader)
        let world = OneThread(self)
        let deadline = leader.clock.time(at: now).advanced(milliseconds: 10_000)
        let epoch = leader.epoch
        tell(
            leader,
            .question(
                PendingQuestion(
                    question: .changeMembers(request), deadline: deadline
                ) { result in
                    let isDone: Bool = if case .success = result { true } else { false }
                    world.value.queue.add(
                        .operatorHeard(number, isDone: isDone), at: world.value.now + 1_000)
                }))
        // A leader that crashes never answers.
        queue.add(.operatorHeard(number, isDone: false), at: now + 12_000_000 + UInt64(epoch % 2))
    }

    /// How a replica that is to vote comes to.
    private func request(
        for replica: SimulatedReplica, _ leader: SimulatedReplica
    ) -> MemberRequest {
        let name = replica.settings.name
        let known = leader.process?.environment.status.members.first { $0.name == name }
        guard let known else {
            if replica.condition == .learning {
                return .add(member(replica.number), staysLearner: true)
            }
            return replica.number <= scenario.replicas
                ? .replace(name: name) : .add(member(replica.number), staysLearner: false)
        }
        // Taken in with others, by a change that was not carried through.
        let members = leader.process?.core.raft?.appliedMembership
        let isPlainLearner =
            members.map { $0.learners.contains(known.id) && !$0.joining.contains(known.id) }
            ?? false
        return isPlainLearner && replica.process?.core.memberID == known.id
            ? .promote(known.id) : .replace(name: name)
    }

    /// The leader is asked for something that it answers when it is done; who asked looks again
    /// anyway.
    func askLeader(_ question: PeerQuestion) {
        guard let leader = currentLeader else { return }
        let world = OneThread(self)
        let deadline = leader.clock.time(at: now).advanced(milliseconds: 5_000)
        tell(
            leader,
            .question(
                PendingQuestion(question: question, deadline: deadline) { result in
                    world.value.trace("operator: \(question): \(result)")
                }))
    }

    /// Takes some replicas, a minority, out of the cluster: one by one, or several at once.
    func shrink(_ victim: SimulatedReplica) {
        guard let id = victim.process?.core.memberID, id != 0, activeReplicas.count >= 3 else {
            return
        }
        lastChurn = now
        let others = activeReplicas.filter { $0.number != victim.number }
        guard others.count >= 4, random.chance(1, in: 2) else {
            return askLeader(.changeMembers(.remove(id)))
        }
        let kept = others.dropFirst(random.below(2)).map {
            ReplicaMember(id: 0, name: $0.settings.name, peerHost: "", peerPort: 0)
        }
        askLeader(.changeMembers(.set(Array(kept))))
    }

    /// Takes some more replicas in: one by one, or several at once.
    func grow() throws(Violation) {
        let newcomers = replicas.filter { $0.condition == .spare }
            .prefix(random.chance(1, in: 2) ? 1 : 2)
        guard !newcomers.isEmpty else { return }
        lastChurn = now
        for newcomer in newcomers {
            newcomer.condition = .beingReplaced
            try start(newcomer)
        }
        // Else the operator adds each of them.
        guard newcomers.count > 1, let leader = currentLeader else { return }
        let names = leader.process?.environment.status.members.map(\.name) ?? []
        let numbers = names.map(number(named:)) + newcomers.map(\.number)
        askLeader(.changeMembers(.set(numbers.map(member))))
    }

    func operatorHeard(_ number: Int, _ isDone: Bool) {
        guard replacing == number else { return }
        trace("operator: \(isDone ? "replaced" : "could not replace") \(number)")
        replacing = nil
    }
}
