import Basics
import Keyspace
import Raft

extension ReplicaCore {
    /// A new leader takes the leases over once it has applied what earlier leaders committed: the
    /// first entry of its own term comes behind all of that. What it has committed itself since may
    /// wait: under load there is always some.
    func activateLessor() {
        guard !isLessorActive, divergence == nil, let raft, raft.role == .leader,
            keyspace.appliedTerm == raft.term
        else { return }
        guard case .success(let leases) = keyspace.leases() else { return }
        lessor.promote(
            leases, now: now, extendMilliseconds: settings.electionMilliseconds * 2)
        isLessorActive = true
        submitQuestions()
    }

    func noteLease(_ command: Command, _ result: CommandResult) {
        guard isLessorActive else { return }
        switch (command, result) {
        case (.leaseGrant, .lease(.success(let lease))):
            lessor.granted(id: lease.id, ttlSeconds: lease.grantedTTLSeconds, now: now)
        case (.leaseRevoke(let id), .revision(.success)):
            lessor.revoked(id: id)
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
        var payloads = lessor.expired(now: now, limit: limit).map {
            Command.leaseRevoke(id: $0).encode()
        }
        settings.metrics.leasesExpired.add(payloads.count)
        let checkpoints = lessor.checkpoints(now: now)
        if !checkpoints.isEmpty { payloads.append(Command.leaseCheckpoint(checkpoints).encode()) }
        for index in payloads.indices { stamp(&payloads[index]) }
        // Refused or lost ones are told again.
        if !payloads.isEmpty { _ = raft?.propose(payloads) }
    }
}
