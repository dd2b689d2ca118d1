import Basics
import Keyspace
import Raft
import ReplicaCore

/// A replica whose state is not the cluster's, with every checksum right, as if it had applied
/// something else: only the comparison of hashes can find that.
extension Simulation {
    func makeWrong(_ victim: SimulatedReplica) throws(Violation) {
        guard let process = victim.process, let keyspace = process.environment.keyspace,
            let raft = process.core.raft, raft.isVoter, !raft.wantsSnapshot
        else { return }
        do throws(KeyspaceError) {
            try keyspace.bumpRevision(by: Int64(1 + random.below(3)), markCompacted: false)
        } catch {
            throw .correctness("cannot change the state of \(victim.number): \(error)")
        }
        trace("the state of \(victim.number) is wrong")
        victim.isWrong = true
        wasSomebodyWrong = true
    }

    /// A replica says that its state is not the others'.
    func checkDivergence(_ replica: SimulatedReplica, _ reason: String) {
        trace("\(replica.number): \(reason)")
        coverage.noteFound(.divergence)
        guard violation == nil else { return }
        do throws(Violation) {
            try replica.harm.checkGivenUp(replica.number, for: .divergence, reason)
        } catch {
            violation = error
        }
    }

    /// Nobody can say who is right while the alarm CORRUPT stands: the operator decides, and has a
    /// replica replaced, as the runbook says.
    func decideWhoIsWrong() {
        restartWrongLeaders()
        let alarms = currentLeader?.process?.environment.status.alarms ?? []
        guard alarms.contains(where: { $0.kind == .corrupt }) else {
            corruptSince = nil
            return
        }
        if corruptSince == nil { coverage.noteFound(.corruptAlarm) }
        let since = corruptSince ?? now
        corruptSince = since
        guard now > since + 10_000_000 else { return }
        for replica in replicas where replica.isWrong && replica.condition == .good {
            trace("operator: the state of \(replica.number) is not the right one")
            end(replica)
            replica.condition = .broken
        }
    }

    /// Who leads with a wrong state over followers that all need a snapshot, which we hold back,
    /// would commit nothing any more, and so never find out.
    private func restartWrongLeaders() {
        guard isHealed else { return }
        for replica in replicas where replica.isWrong && replica.snapshotsHeldBack > 20 {
            replica.snapshotsHeldBack = 0
            guard replica.process != nil else { continue }
            trace("operator: \(replica.number) does not get its followers along")
            end(replica)
            queue.add(.restart(replica.number, epoch: replica.epoch), at: now + 1_000_000)
        }
    }
}
