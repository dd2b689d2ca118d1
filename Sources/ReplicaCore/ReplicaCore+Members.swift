import Basics
import Keyspace
import Raft

/// The replacement of a member that lost its directory, while this replica leads.
struct Replacement {
    let name: String
    let newID: UInt64
    let deadline: MonotonicTime
    let done: @Sendable (Result<Int64, StoreError>) -> Void

    func fail(_ error: StoreError) {
        done(.failure(error))
    }
}

extension ReplicaCore {
    /// A peer dialled this replica, which does not know the members yet, as member `asID`.
    func greeted(_ id: UInt64, _ name: String, as asID: UInt64) throws(ReplicaFailure) {
        if memberID == 0 {
            try environment.join(as: asID)
            memberID = asID
            environment.setOwnID(asID)
            raft = Raft(
                raftConfiguration(), Raft.InitialState(membership: Membership(voters: [])))
        }
        guard !isStateKnown,
            var member = settings.members.first(where: { $0.name == name })
        else { return }
        member.id = id
        greeters.removeAll { $0.name == name }
        greeters.append(member)
        // Nobody is a voter here: only connections are made of this.
        environment.setMembers(
            ClusterMembers(membership: Membership(voters: []), members: greeters))
    }

    func beginReplacement(
        of name: String, deadline: MonotonicTime,
        _ done: @escaping @Sendable (Result<Int64, StoreError>) -> Void
    ) {
        guard settings.members.contains(where: { $0.name == name }) else {
            return done(.failure(StoreError(.notFound, "etcdserver: member not found")))
        }
        guard replacement == nil else {
            return done(
                .failure(StoreError(.failedPrecondition, "another member is being replaced")))
        }
        var newID = freshID()
        if let member = cluster.member(named: name) {
            if cluster.membership.learners.contains(member.id) {
                newID = member.id
            } else if member.id == memberID || environment.isUp(member.id) {
                return done(
                    .failure(StoreError(.failedPrecondition, "\(name) is in good order")))
            }
        }
        replacement = Replacement(name: name, newID: newID, deadline: deadline, done: done)
        advanceReplacement()
    }

    /// An id that no member ever had.
    private func freshID() -> UInt64 {
        var random = SeededRandom(seed: settings.seed ^ now.nanoseconds)
        while true {
            let id = random.next()
            if id != 0, cluster.member(id) == nil { return id }
        }
    }

    /// Takes the next step, if the last one is done: remove, add as learner, make a voter.
    func advanceReplacement() {
        guard let replacement, let raft, raft.role == .leader else { return }
        if replacement.deadline <= now {
            replacement.fail(.timeout)
            self.replacement = nil
            return
        }
        guard let member = cluster.member(named: replacement.name) else {
            return addLearner(replacement)
        }
        let isVoter = cluster.membership.voters.contains(member.id)
        if isVoter && member.id == replacement.newID {
            replacement.done(.success(Int64(bitPattern: member.id)))
            self.replacement = nil
        } else if isVoter {
            _ = self.raft?.proposeMembership(.remove(member.id))
        } else if let progress = raft.progress.first(where: { $0.id == member.id }),
            progress.state == .replicate, progress.match + 100 >= raft.commitIndex
        {
            _ = self.raft?.proposeMembership(.addVoter(member.id))
        }
    }

    private func addLearner(_ replacement: Replacement) {
        guard
            var member = settings.members.first(where: { $0.name == replacement.name })
        else { return }
        member.id = replacement.newID
        var writer = ByteWriter()
        member.encode(to: &writer)
        _ = raft?.proposeMembership(.addLearner(member.id, context: writer.bytes))
    }
}
