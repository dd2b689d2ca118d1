/// What the shell has to do now. Readys are handled in the order in which they were taken.
///
/// `hardState` and `entries` go to the log as one write. The shell may take further Readys while
/// earlier writes are under way, but writes happen in order, and once the write of a Ready and of
/// all Readys before it are durable, the shell sends `messagesAfterPersist` and reports
/// `Raft.persisted(mark)`. One report for the newest of several durable Readys is enough.
package struct Ready: Sendable {
    /// Write with the entries, in one sync; nil if unchanged.
    package var hardState: HardState?
    /// Append to the log, after removing every entry of it from `entries[0].index` on.
    package var entries: [Entry] = []
    /// Proves, when it comes back by `persisted`, what became durable; nil if this Ready has
    /// nothing for the log's queue.
    package var mark: WriteMark?
    /// May leave at once, also before the write of this Ready.
    package var messages: [Message] = []
    /// Votes and acknowledgements: must not leave before this Ready's write and all earlier ones
    /// are durable, even if this Ready itself has nothing to write (`mark` is set then, too).
    package var messagesAfterPersist: [Message] = []
    /// Apply in order, then report `applied`. Always durable in the log of this replica already.
    package var committed: [Entry] = []
    /// Answer a read when `applied >= index`.
    package var reads: [Read] = []
    /// Reads that got no answer, because the leader changed or is unknown: ask again or fail.
    package var abandonedReads: [UInt64] = []
    /// Peers that need a state newer than the entries we keep. The shell streams its newest
    /// snapshot to each, whose shell then steps `installSnapshot`; then `snapshotSent`.
    package var snapshotsToSend: [UInt64] = []
    /// Replace state machine and, unless `keepsLog`, log by this snapshot (which the shell holds),
    /// durably and after all writes so far, then report `snapshotInstalled`. Until then nothing
    /// comes to apply.
    package var snapshotToInstall: SnapshotMeta?
    /// The log agrees with that snapshot and has acknowledged entries behind it, which must stay:
    /// only the state machine is replaced.
    package var keepsLog = false
    /// Set if leader, term or role differ from the Ready before.
    package var leaderChange: LeaderChange?

    init() {}

    /// Of the entries in it that are sent or applied: how much work it is.
    package var entryBytes: Int {
        messages.reduce(committed.reduce(0) { $0 + $1.cost }) { $0 + $1.entryBytes }
    }

    var isEmpty: Bool {
        mark == nil && messages.isEmpty && committed.isEmpty && reads.isEmpty
            && abandonedReads.isEmpty && snapshotsToSend.isEmpty && snapshotToInstall == nil
            && leaderChange == nil
    }
}

/// Names one write of the log. Numbers rise, so that the acknowledgement of a write whose entries
/// have since been replaced is told from the acknowledgement of what replaced them, also when index
/// and term are the same.
package struct WriteMark: Sendable, Hashable {
    package var number: UInt64
    /// Last entry of the log as of this write.
    package var index: UInt64
    /// Term of the replica as of this write.
    package var term: UInt64

    package init(number: UInt64, index: UInt64, term: UInt64) {
        self.number = number
        self.index = index
        self.term = term
    }
}

/// A read that the leader confirmed.
package struct Read: Sendable, Hashable {
    package var token: UInt64
    package var index: UInt64
}

package struct LeaderChange: Sendable, Hashable {
    /// 0 while unknown.
    package var leader: UInt64
    package var term: UInt64
    package var role: Role
}

package enum Role: UInt8, Sendable, Hashable {
    case follower, preCandidate, candidate, leader
}

/// What became of a proposal.
package enum Proposal: Sendable, Hashable {
    /// The entries are in the leader's log from this index on, all of this term. They are committed
    /// if entry `firstIndex + i` turns out to have this term, else lost.
    case accepted(firstIndex: UInt64, term: UInt64)
    /// Ask that member; 0 if unknown.
    case notLeader(leader: UInt64)
    /// Leadership is being handed over: ask the next leader, or this one once `transferee` is 0.
    case transferring
    /// Too much is uncommitted, or the members cannot be changed this way now.
    case refused
}
