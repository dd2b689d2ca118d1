import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// What the checks are told, from calls that cannot throw as well.
extension Simulation {
    func checkCommit(_ raft: Raft, _ process: SimulatedProcess) throws(Violation) {
        let index = raft.commitIndex
        let isApplied =
            index <= committed.lastIndex && committed.items[Int(index) - 1].entry.term == raft.term
        // A leader that was paused may commit what others have in their snapshots by now.
        let isHeld = { (log: LogMirror) in
            log.term(at: index) == raft.term || isApplied && index < log.offset
        }
        let holds = { (voter: UInt64) in
            self.replicas.contains { other in
                let member = other.process?.core.memberID ?? other.lastMemberID
                return member == voter && isHeld(other.durable)
                    || other.lostLogs.contains { $0.member == voter && isHeld($0.log) }
            }
        }
        // The membership may have changed in the same round, after the commit.
        if let before = process.membership, before != raft.membership,
            RaftInvariants.isQuorum(before, holds), raft.term(at: index) == raft.term
        {
            return
        }
        try invariants.committed(raft, holds: holds)
    }

    func checkWritten(_ entries: [Entry], _ previousTerm: UInt64?, _ replica: SimulatedReplica) {
        guard violation == nil else { return }
        guard let previousTerm else {
            violation = .correctness(
                "\(replica.number) writes entry \(entries[0].index) behind a gap")
            return
        }
        do throws(Violation) {
            try invariants.wrote(entries, after: previousTerm)
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
