import Basics
import Keyspace
import Raft

/// A replica whose state is not what most replicas have at the same entry.
///
/// Nothing of it is shown from the moment that this is known, across restarts (the directory has a
/// note), until the leader's snapshot has taken the place of the state. The log is as good as it
/// was: the replica goes on to vote and to acknowledge. Its own snapshot files may be of the wrong
/// state; they go with it.
struct Divergence {
    /// Members whose state is the majority's: one of them has to lead.
    var heirs: [UInt64] = []
    var heirsTried = 0
}

extension ReplicaCore {
    func diverged(_ reason: String, heirs: [UInt64]) throws(ReplicaFailure) {
        guard divergence == nil else { return }
        settings.notice(
            "\(reason): nothing is answered from here until the leader's snapshot has taken its"
                + " place")
        try environment.noteDivergence(reason)
        divergence = Divergence(heirs: heirs.filter { $0 != memberID })
        environment.publish(nil)
        keyspace.stopWatches()
        resignLeases()
        reads.failAll(.noLeader)
        waiting.failAll(.leaderChanged)
        try advanceDivergence()
    }

    /// A leader hands over, to somebody who is right; then the leader is asked for its snapshot.
    func advanceDivergence() throws(ReplicaFailure) {
        guard var divergence, let raft, !raft.wantsSnapshot, !raft.isBlank else { return }
        guard raft.role != .leader else {
            guard raft.transferee == 0, !divergence.heirs.isEmpty else { return }
            let fittest = raft.heir.flatMap { divergence.heirs.contains($0) ? $0 : nil }
            let next = divergence.heirs[divergence.heirsTried % divergence.heirs.count]
            let heir = divergence.heirsTried == 0 ? fittest ?? next : next
            divergence.heirsTried += 1
            self.divergence = divergence
            settings.notice(
                "leadership goes to member \(String(heir, radix: 16)), who is of the majority")
            _ = self.raft?.transferLeadership(to: heir)
            return
        }
        // A file in the making is of this state; it must not come after the leader's.
        guard !snapshots.isSaving, self.raft?.requestSnapshot() ?? false else { return }
        keyspace.stop()
    }

    /// The leader's snapshot is in place.
    func endDivergence(at index: UInt64) {
        guard divergence != nil else { return }
        divergence = nil
        hashes.comparison = HashComparison()
        settings.notice("the state is the leader's as of entry \(index), and is served again")
    }
}
