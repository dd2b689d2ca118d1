import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// What the checks are told, from calls that cannot throw as well.
extension Simulation {
    func checkCommit(_ raft: Raft, _ process: SimulatedProcess) throws(Violation) {
        var logs: [(member: UInt64, log: LogMirror)] = []
        for replica in replicas {
            let member = replica.process?.core.memberID ?? replica.lastMemberID
            logs.append((member, replica.durable))
            logs += replica.lostLogs
        }
        try invariants.committed(raft, before: process.membership, committed, durable: logs)
        try acknowledgements.committed(raft, before: process.membership)
    }

    func checkWritten(_ entries: [Entry], _ previousTerm: UInt64?, _ replica: SimulatedReplica) {
        guard violation == nil else { return }
        do throws(Violation) {
            try invariants.wrote(entries, by: replica.number, after: previousTerm)
        } catch {
            violation = error
        }
    }

    /// After what may have taken away what a rebuild of the state begins with.
    ///
    /// The state is not compared where it is to be replaced: while a peer's snapshot is installed,
    /// behind a lost tail, and where none is shown.
    func checkReach(_ replica: SimulatedReplica) {
        guard violation == nil, let environment = replica.process?.environment else { return }
        let isKept = environment.installing == nil && !replica.hasLostTail
        let snapshots: [UInt64]
        do throws(ReplicaFailure) {
            snapshots = try replica.directory.snapshotIndexes()
        } catch {
            violation = .correctness("no snapshot files of \(replica.number): \(error)")
            return
        }
        do throws(Violation) {
            try LogReach.check(
                replica.number, released: environment.log.releasedIndex, snapshots: snapshots,
                applied: isKept ? environment.keyspace?.appliedIndex : nil)
        } catch {
            violation = error
        }
    }

    func checkJoining(_ replica: SimulatedReplica, as id: UInt64) {
        guard violation == nil else { return }
        do throws(Violation) {
            try MemberInvariants.checkJoining(
                replica.number, as: id, in: committed.membership)
        } catch {
            violation = error
        }
    }

    func checkMembers(_ members: [ReplicaMember]) {
        guard violation == nil else { return }
        do throws(Violation) { try MemberInvariants.check(members) } catch { violation = error }
    }

    func checkPromise(_ message: Message, _ replica: SimulatedReplica) {
        guard violation == nil else { return }
        let durable = replica.durable
        do throws(Violation) {
            try invariants.sent(
                message, durable: (durable.term, durable.vote, durable.lastIndex))
        } catch {
            violation = error
        }
    }
}
