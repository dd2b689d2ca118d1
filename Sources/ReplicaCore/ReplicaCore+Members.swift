import Basics
import Keyspace
import Raft

extension ReplicaCore {
    /// As leader: begins with what is asked for. Changes are taken one by one.
    func beginMemberChange(
        _ request: MemberRequest, deadline: MonotonicTime,
        _ done: @escaping @Sendable (Result<Int64, StoreError>) -> Void
    ) {
        guard memberTask == nil else {
            let text = "etcdserver: another change of members is under way"
            return done(.failure(StoreError(.failedPrecondition, text)))
        }
        memberTask = MemberTask(request: request, deadline: deadline, done: done)
        advanceMembers()
    }

    private func goal(of request: MemberRequest) throws(StoreError) -> MemberTask.Goal {
        switch request {
        case .add(var member, let staysLearner):
            member.id = freshID()
            if member.name.isEmpty { member.name = member.peerAddress }
            try checkNew(member)
            return .isMember(member, staysLearner: staysLearner)
        case .remove(let id):
            guard cluster.membership.contains(id) else { throw .memberNotFound }
            try checkRemoval(of: [id])
            return .isGone(id)
        case .promote(let id):
            guard cluster.membership.contains(id) else { throw .memberNotFound }
            guard cluster.membership.learners.contains(id) else { throw .notLearner }
            guard raft?.progress.contains(where: { $0.id == id && $0.hasCaughtUp }) ?? false else {
                throw .learnerNotReady
            }
            return .isVoter(id)
        case .update(let id, let host, let port):
            guard var member = cluster.member(id) else { throw .memberNotFound }
            guard !isTaken(host, port, except: id) else { throw .peerURLExists }
            if member.name == member.peerAddress { member.name = "\(host):\(port)" }
            member.peerHost = host
            member.peerPort = port
            return .isKnownAs(member)
        case .set(let members): return try goal(ofSetting: members)
        case .replace(let name): return try goal(ofReplacing: name)
        }
    }

    private func goal(ofSetting members: [ReplicaMember]) throws(StoreError) -> MemberTask.Goal {
        guard !members.isEmpty else {
            throw StoreError(.invalid, "etcdserver: nobody would be left")
        }
        var ids: [UInt64] = []
        var newcomers: [ReplicaMember] = []
        for var member in members {
            if let known = cluster.member(named: member.name) {
                ids.append(known.id)
                continue
            }
            guard member.peerPort != 0 else {
                throw StoreError(.notFound, "etcdserver: member not found: \(member.name)")
            }
            member.id = freshID()
            try checkNew(member)
            ids.append(member.id)
            newcomers.append(member)
        }
        guard Set(ids).count == ids.count else { throw .memberExists }
        return .are(ids.sorted(), newcomers: newcomers)
    }

    private func goal(ofReplacing name: String) throws(StoreError) -> MemberTask.Goal {
        var known = cluster.member(named: name)
        if known == nil { known = settings.members.first { $0.name == name } }
        guard var member = known else { throw .memberNotFound }
        if let old = cluster.member(named: name) {
            // Asked for again while the first replacement is under way: that one is waited for.
            if cluster.membership.joining.contains(old.id) { return .isReplaced(old) }
            guard old.id != memberID, !environment.isUp(old.id) else {
                throw StoreError(.failedPrecondition, "\(name) is in good order")
            }
            if cluster.membership.learners.contains(old.id) {
                member.id = freshID()
                return .isLearnerReplaced(member)
            }
        }
        member.id = freshID()
        return .isReplaced(member)
    }

    private func checkNew(_ member: ReplicaMember) throws(StoreError) {
        guard !isTaken(member.peerHost, member.peerPort, except: member.id) else {
            throw .peerURLExists
        }
        guard cluster.member(named: member.name) == nil else { throw .memberExists }
    }

    private func isTaken(_ host: String, _ port: Int, except id: UInt64) -> Bool {
        addressed.members.contains { $0.id != id && $0.peerHost == host && $0.peerPort == port }
    }

    /// As etcd's strict check: those who stay and run must be a majority of those who stay.
    private func checkRemoval(of ids: [UInt64]) throws(StoreError) {
        let staying = cluster.membership.voters.filter { !ids.contains($0) }
        guard !ids.allSatisfy(cluster.membership.learners.contains) else { return }
        let running = staying.count { $0 == memberID || environment.isUp($0) }
        guard running > staying.count / 2 else { throw .notEnoughStarted }
    }

    /// An id that no member ever had.
    private func freshID() -> UInt64 {
        idsMade += 1
        var random = SeededRandom(seed: settings.seed ^ now.nanoseconds &+ idsMade)
        while true {
            let id = random.next()
            if id != 0, cluster.member(id) == nil { return id }
        }
    }

    /// Takes the next step, if the last one is done.
    func advanceMembers() {
        guard var task = memberTask, let raft else { return }
        if task.goal == nil, raft.canChangeMembers {
            do throws(StoreError) {
                task.goal = try goal(of: task.request)
                memberTask = task
            } catch {
                memberTask = nil
                return task.done(.failure(error))
            }
        }
        switch task.next(cluster, raft.progress) {
        case .done(let id):
            memberTask = nil
            task.done(.success(Int64(bitPattern: id)))
        case .wait where task.deadline <= now, .propose where task.deadline <= now:
            memberTask = nil
            task.done(.failure(.timeout))
        case .propose(let change): _ = self.raft?.proposeMembership(change)
        case .wait: break
        }
    }
}
