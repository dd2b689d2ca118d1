import Basics
import Keyspace
import Raft

/// When the next comparison of hashes is due, and what came of the last ones.
struct HashChecks {
    var comparison = HashComparison()
    /// The state's hash at the last check that this leader asked for.
    var lastAsked: UInt64?
    var nextAsk = MonotonicTime(nanoseconds: 0)
    /// A change of the alarm is on its way.
    let isAlarmAsked = Locked(false)
}

extension ReplicaCore {
    /// Of no member: nobody can say which one it is. etcd raises it with id 0 as well.
    private static let corruptAlarm = ClusterAlarm(memberID: 0, kind: .corrupt)

    /// As leader: asks for a check, if anything has changed since the last one.
    func askForHashes() {
        let interval = settings.hashCheckMilliseconds
        guard interval > 0, now >= hashes.nextAsk, raft?.hasCommittedInTerm ?? false, isStateKnown
        else { return }
        hashes.nextAsk = now.advanced(milliseconds: interval)
        let hash = keyspace.hash
        // While the alarm is on nothing changes, but who is mended has to be noticed.
        guard hash != hashes.lastAsked || cluster.isCorrupt else { return }
        // Else it is asked again after the next interval, though nothing may have changed.
        guard case .accepted? = raft?.propose([Command.hashCheck.encode()]) else { return }
        hashes.lastAsked = hash
    }

    /// A check or a report was applied.
    func noteHash(
        _ entry: AppliedEntry, _ result: CommandResult
    ) throws(ReplicaFailure) {
        guard divergence == nil else { return }
        switch (entry.command, result) {
        case (.hashCheck, .hash(let hash)):
            try judge(hashes.comparison.checked(index: entry.index, hash: hash))
            report(HashReport(member: memberID, index: entry.index, hash: hash))
        case (.hashReport(let report), _):
            try judge(
                hashes.comparison.reported(report, voters: cluster.membership.voters))
        default: break
        }
    }

    private func judge(_ verdict: HashComparison.Verdict) throws(ReplicaFailure) {
        switch verdict {
        case .open, .agrees: break
        case .unanimous:
            if cluster.alarms.contains(Self.corruptAlarm) { changeCorruptAlarm(isRaised: false) }
        case .undecided(let entry):
            settings.notice(
                "the replicas' states differ at entry \(entry), and no majority of them is alike:"
                    + " nobody can say which one is right; docs/runbooks/corrupt-disk.md")
            changeCorruptAlarm(isRaised: true)
        case .differs(let entry, let own, let theirs, let majority):
            try diverged(
                "the state at entry \(entry) has the hash \(ReplicaDirectory.digits(own)), but"
                    + " \(ReplicaDirectory.digits(theirs)) at most replicas", heirs: majority)
        }
    }

    /// Every replica comes to the same verdict; the leader acts.
    private func changeCorruptAlarm(isRaised: Bool) {
        let isAsked = hashes.isAlarmAsked
        guard raft?.role == .leader, !isAsked.withLock({ $0 }) else { return }
        isAsked.withLock { $0 = true }
        settings.notice(
            isRaised
                ? "raising the alarm CORRUPT: writes are refused"
                : "all replicas' states agree: clearing the alarm CORRUPT")
        let alarm = Self.corruptAlarm
        let change = AlarmChange(isRaised: isRaised, memberID: alarm.memberID, kind: alarm.kind)
        newWrites.append(
            PendingWrite(
                payload: Command.alarm(change).encode(),
                deadline: now.advanced(milliseconds: settings.requestMilliseconds)
            ) { _ in isAsked.withLock { $0 = false } })
        submitWrites()
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
