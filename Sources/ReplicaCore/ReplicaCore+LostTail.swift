import Basics
import Keyspace
import Raft

/// How far a replica is that lost a part of its log to damage.
struct LostTailRecovery {
    enum State { case idle, asked, reached }

    /// Set by the answer to the write.
    let state = Locked(State.idle)
    /// A snapshot file was begun when everything was here again.
    var isSaving = false
    var isSaved = false
}

extension ReplicaCore {
    /// Gets a write of its own into the log: once that is applied here, so is every entry that
    /// this replica can have acknowledged before, for they all stand before it in the leader's
    /// log. Then it votes again.
    func advanceRecovery() {
        guard raft?.lost != nil, isStateKnown, ticks % 5 == 0, let raft else { return }
        let state = recovery.state
        switch state.withLock({ $0 }) {
        case .asked:
            break
        case .reached:
            // The log may begin behind what is lost, where no snapshot file reaches it: then the
            // next rebuild would lose all of it again.
            guard recovery.isSaved else { return saveRecovered() }
            self.raft?.lostTailRecovered()
            environment.log(.healed)
            settings.notice(
                "the log is whole again up to entry \(raft.commitIndex): this replica votes again")
            state.withLock { $0 = .idle }
            recovery.isSaved = false
        case .idle:
            guard raft.leader != 0, raft.leader != memberID else { return }
            state.withLock { $0 = .asked }
            newWrites.append(
                PendingWrite(
                    // Changes nothing, but is not empty, which no proposal may be.
                    payload: Command.leaseCheckpoint([]).encode(),
                    deadline: now.advanced(milliseconds: settings.requestMilliseconds)
                ) { result in
                    state.withLock {
                        if case .success = result { $0 = .reached } else { $0 = .idle }
                    }
                })
            submitWrites()
        }
    }

    private func saveRecovered() {
        guard !snapshots.isSaving else { return }
        recovery.isSaving = true
        beginSnapshot()
    }
}
