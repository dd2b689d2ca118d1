import Basics
import Keyspace
import Raft

/// When a quorum last confirmed that this replica leads, as of when it was asked.
struct LeadershipProof {
    private var begun: MonotonicTime?
    /// The question that is under way, to be answered as a read.
    var asked: (token: UInt64, at: MonotonicTime)?

    /// Returns whether it was the question.
    mutating func confirmed(_ token: UInt64) -> Bool {
        guard let asked, asked.token == token else { return false }
        begun = asked.at
        self.asked = nil
        return true
    }

    mutating func abandoned(_ token: UInt64) {
        if asked?.token == token { asked = nil }
    }

    func isFresh(_ now: MonotonicTime, _ milliseconds: UInt64) -> Bool {
        begun.map { now.milliseconds(since: $0) < milliseconds } ?? false
    }
}

extension ReplicaCore {
    /// A new leader takes the leases over once it has applied what earlier leaders committed: the
    /// first entry of its own term comes behind all of that. What it has committed itself since may
    /// wait: under load there is always some.
    func activateLessor() {
        // Without a copy of Raft: every round comes by.
        guard !isLessorActive, divergence == nil, raft?.role == .leader,
            keyspace.appliedTerm == raft?.term
        else { return }
        guard case .success(let leases) = keyspace.leases() else { return }
        lessor.promote(
            leases, now: now, extendMilliseconds: settings.electionMilliseconds * 2)
        isLessorActive = true
        submitQuestions()
    }

    /// As leader: renews a lease, or says how long it has. False if that cannot be said yet.
    ///
    /// A leader that was stopped, or is cut off, may have a successor, who ends leases by its own
    /// clock from its election on and knows of no renewal here. So a quorum must have confirmed the
    /// leadership within an election timeout; a new leader gives two on top.
    func answerLease(_ question: PendingQuestion) -> Bool {
        guard isLessorActive else { return false }
        guard leadership.isFresh(now, settings.electionMilliseconds) else {
            if leadership.asked == nil {
                let token = reads.ask([])
                leadership.asked = (token, now)
                raft?.readIndex(token)
            }
            return false
        }
        switch question.question {
        case .leaseKeepAlive(let id):
            switch lessor.keepAlive(id: id, now: now) {
            case .none: question.done(.failure(.leaseNotFound))
            case .done(let seconds):
                settings.metrics.leasesRenewed.add()
                question.done(.success(seconds))
            case .pending: renewals[id, default: []].append(question)
            }
        case .leaseRemaining(let id):
            question.done(
                lessor.remainingSeconds(id: id, now: now).map { .success($0) }
                    ?? .failure(.leaseNotFound))
        case .changeMembers, .transferLeadership: break
        }
        return true
    }

    /// Renewals that the followers do not know of are asked of the next leader again.
    func resignLeases() {
        lessor.demote()
        isLessorActive = false
        leadership = LeadershipProof()
        for id in renewals.keys.sorted() { newQuestions += renewals[id] ?? [] }
        renewals = [:]
    }

    func expireRenewals(_ error: StoreError) {
        for id in renewals.keys.sorted() {
            guard let waiting = renewals[id] else { continue }
            for question in waiting where question.deadline <= now {
                question.done(.failure(error))
            }
            let rest = waiting.filter { $0.deadline > now }
            renewals[id] = rest.isEmpty ? nil : rest
        }
    }

    /// What is left of a lease, 0 if there is none; nil where that is not known.
    package func knownSeconds(ofLease id: Int64) -> Int64? {
        isLessorActive ? lessor.remainingSeconds(id: id, now: now) ?? 0 : nil
    }

    func noteLease(_ command: Command, _ result: CommandResult) {
        guard isLessorActive else { return }
        switch (command, result) {
        case (.leaseGrant, .lease(.success(let lease))):
            lessor.granted(id: lease.id, ttlSeconds: lease.grantedTTLSeconds, now: now)
        case (.leaseRevoke(let id), .revision(.success)):
            lessor.revoked(id: id)
            for question in renewals.removeValue(forKey: id) ?? [] {
                question.done(.failure(.leaseNotFound))
            }
        case (.leaseCheckpoint(let told), _):
            for lease in told {
                guard let seconds = lessor.checkpointed(lease) else { continue }
                for question in renewals.removeValue(forKey: lease.id) ?? [] {
                    settings.metrics.leasesRenewed.add()
                    question.done(.success(seconds))
                }
            }
        default:
            break
        }
    }

    /// Revokes that are under way at once.
    private static let revokesMax = 2000

    /// Proposes the end of leases whose time is up, and tells followers of the remaining times.
    func expireLeases() {
        guard isLessorActive, raft?.role == .leader else { return }
        // In steps: with a tick, and the next ones when some of the last are applied, so that
        // clients' writes get between.
        let backlog = (self.raft?.lastIndex ?? 0) - keyspace.appliedIndex
        let limit = max(0, Self.revokesMax - Int(clamping: backlog))
        let expired = lessor.expired(now: now, limit: limit)
        var payloads = expired.map { Command.leaseRevoke(id: $0).encode() }
        let checkpoints = lessor.checkpoints(now: now)
        if !checkpoints.isEmpty { payloads.append(Command.leaseCheckpoint(checkpoints).encode()) }
        for index in payloads.indices { stamp(&payloads[index]) }
        guard !payloads.isEmpty else { return }
        // Ends that are lost are told again by themselves.
        if case .accepted? = raft?.propose(payloads) {
            settings.metrics.leasesExpired.add(expired.count)
            return
        }
        lessor.notEnded(expired, now: now)
        lessor.notTold(checkpoints)
    }
}
