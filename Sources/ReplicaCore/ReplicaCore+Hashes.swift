import Basics
import Keyspace
import Raft

/// When the next comparison of hashes is due, and what came of the last ones.
struct HashChecks {
    var comparison = HashComparison()
    /// The state's hash at the last check that this leader asked for.
    var lastAsked: UInt64?
    var nextAsk = MonotonicTime(nanoseconds: 0)
}

extension ReplicaCore {
    /// As leader: asks for a check, if anything has changed since the last one.
    func askForHashes() {
        let interval = settings.hashCheckMilliseconds
        guard interval > 0, let raft, raft.role == .leader, raft.hasCommittedInTerm,
            now >= hashes.nextAsk
        else { return }
        hashes.nextAsk = now.advanced(milliseconds: interval)
        let hash = keyspace.hash
        guard hash != hashes.lastAsked else { return }
        hashes.lastAsked = hash
        _ = self.raft?.propose([Command.hashCheck.encode()])
    }

    /// A check or a report was applied.
    func noteHash(
        _ entry: AppliedEntry, _ result: CommandResult
    ) throws(ReplicaFailure) {
        switch (entry.command, result) {
        case (.hashCheck, .hash(let hash)):
            hashes.comparison.checked(index: entry.index, hash: hash)
            report(HashReport(member: memberID, index: entry.index, hash: hash))
        case (.hashReport(let report), _):
            let voters = cluster.membership.voters
            let verdict = hashes.comparison.reported(report, voters: voters)
            guard case .differs(let index, let own, let majority) = verdict else { return }
            var failure = ReplicaFailure(
                nil,
                "the state at entry \(index) has the hash \(String(own, radix: 16)), but"
                    + " \(String(majority, radix: 16)) at most replicas: it is rebuilt")
            failure.damage = failure.description
            throw failure
        default: break
        }
    }

    private func report(_ report: HashReport) {
        // Nobody waits for it: a report that gets lost leaves this check open.
        guard raft?.leader != 0 else { return }
        newWrites.append(
            PendingWrite(
                payload: Command.hashReport(report).encode(),
                deadline: now.advanced(milliseconds: settings.requestMilliseconds),
                done: { _ in }))
        submitWrites()
    }
}
