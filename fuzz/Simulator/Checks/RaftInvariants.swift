package import Raft

/// What Raft promises, beside what `CommittedLog` checks: watches every replica after each of its
/// rounds, and every promise that leaves it.
package struct RaftInvariants {
    private struct Written: Hashable {
        var index: UInt64
        var term: UInt64
    }

    private struct Ballot: Hashable {
        var voter: UInt64
        var term: UInt64
    }

    /// Entries by index and term, with the term before each.
    private var written: [Written: (entry: Entry, previousTerm: UInt64)] = [:]
    private var leaders: [UInt64: UInt64] = [:]
    private var votes: [Ballot: UInt64] = [:]
    package private(set) var maxTerm: UInt64 = 0

    package init() {}

    package func entry(index: UInt64, term: UInt64) -> Entry? {
        written[Written(index: index, term: term)]?.entry
    }

    // MARK: Election safety, leader completeness

    /// A replica became leader.
    package mutating func elected(_ raft: Raft, _ log: CommittedLog) throws(Violation) {
        maxTerm = max(maxTerm, raft.term)
        if let other = leaders[raft.term], other != raft.id {
            throw .correctness(
                "election safety: \(other) and \(raft.id) both lead term \(raft.term)")
        }
        leaders[raft.term] = raft.id
        var index = log.lastIndex
        while index >= max(1, raft.firstIndex) {
            let item = log.items[Int(index) - 1]
            // An old leader may learn of its election when a newer one has committed already.
            guard item.committedIn >= raft.term || raft.term(at: index) == item.entry.term else {
                throw .correctness(
                    "leader completeness: \(raft.id) leads term \(raft.term) and lacks committed "
                        + "entry \(item.entry.term)/\(index)")
            }
            index -= 1
        }
    }

    // MARK: Promises

    /// A message leaves a replica. What it promises must be durable there.
    package mutating func sent(
        _ message: Message, durable: (term: UInt64, vote: UInt64, lastIndex: UInt64)
    ) throws(Violation) {
        switch message.body {
        case .voteResponse(granted: true):
            try voted(message.from, for: message.to, in: message.term)
            guard
                durable.term > message.term
                    || durable.term == message.term && durable.vote == message.to
            else {
                throw .correctness(
                    "\(message.from) votes for \(message.to) in term \(message.term) before the "
                        + "vote is durable")
            }
        case .vote:
            try voted(message.from, for: message.from, in: message.term)
            guard
                durable.term > message.term
                    || durable.term == message.term && durable.vote == message.from
            else {
                throw .correctness(
                    "\(message.from) asks for votes in term \(message.term) before its own is "
                        + "durable")
            }
        case .appended(let index):
            // A write of a later term, synced together with this one, may have cut the entries off
            // again. Had they been committed, that term's leader would hold them.
            guard durable.term > message.term || durable.lastIndex >= index else {
                throw .correctness(
                    "\(message.from) acknowledges entry \(index), durable is "
                        + "\(durable.lastIndex)")
            }
        default: break
        }
    }

    private mutating func voted(
        _ voter: UInt64, for candidate: UInt64, in term: UInt64
    ) throws(Violation) {
        let ballot = Ballot(voter: voter, term: term)
        if let other = votes[ballot], other != candidate {
            throw .correctness("\(voter) voted for \(other) and \(candidate) in term \(term)")
        }
        votes[ballot] = candidate
    }

    // MARK: Log matching

    /// A replica writes entries. An entry of the same index and term is the same entry everywhere
    /// and has the same predecessor, from which log matching follows by induction.
    ///
    /// - Parameter previousTerm: of the entry before them in the replica's log; nil if it has none.
    package mutating func wrote(
        _ entries: [Entry], by replica: Int, after previousTerm: UInt64?
    ) throws(Violation) {
        guard var previousTerm else {
            throw .correctness("\(replica) writes entry \(entries[0].index) behind a gap")
        }
        for entry in entries {
            let key = Written(index: entry.index, term: entry.term)
            if let known = written[key] {
                guard known.entry == entry, known.previousTerm == previousTerm else {
                    throw .correctness(
                        "log matching: two entries \(entry.term)/\(entry.index), one after term "
                            + "\(known.previousTerm), one after term \(previousTerm)")
                }
            } else {
                written[key] = (entry, previousTerm)
            }
            previousTerm = entry.term
        }
    }

    // MARK: Commitment

    /// A leader committed: whether those that count have what it committed.
    ///
    /// - Parameters:
    ///   - before: the voters before the round, in which they may have changed after the commit.
    ///   - logs: what is durable, and what was until it was lost, each with the member whose it is.
    package func committed(
        _ raft: Raft, before: Membership?, _ log: CommittedLog,
        durable logs: [(member: UInt64, log: LogMirror)]
    ) throws(Violation) {
        let (index, term) = (raft.commitIndex, raft.term)
        let isApplied =
            index <= log.lastIndex && log.items[Int(index) - 1].entry.term == term
        // A leader that was paused may commit what others have in their snapshots by now.
        let holds = { (voter: UInt64) in
            logs.contains { member, log in
                member == voter && (log.term(at: index) == term || isApplied && index < log.offset)
            }
        }
        if let before, before != raft.membership, Self.isQuorum(before, holds),
            raft.term(at: index) == term
        {
            return
        }
        try committed(raft, holds: holds)
    }

    /// A leader committed up to `index`: a quorum of its voters must hold the entry durably, and it
    /// must be of the leader's own term (figure 8 of the paper).
    package func committed(
        _ raft: Raft, holds: (UInt64) -> Bool
    ) throws(Violation) {
        let index = raft.commitIndex
        guard raft.term(at: index) == raft.term else {
            throw .correctness(
                "\(raft.id), leader of term \(raft.term), commits entry \(index) of term "
                    + "\(raft.term(at: index) ?? 0)")
        }
        guard Self.isQuorum(raft.membership, holds) else {
            let members = raft.membership
            throw .correctness(
                "committed on quorum: \(raft.id) commits entry \(raft.term)/\(index), which only "
                    + "\(members.allVoters.filter(holds)) of \(members.voters)"
                    + "\(members.isJoint ? " and \(members.outgoing)" : "") hold durably")
        }
    }

    /// Of the appends that a leader has on their way to a member: no more than its window holds, so
    /// that a member that does not answer costs it and the network no more than that.
    package static func window(
        to member: UInt64, appends: Int, max: Int
    ) throws(Violation) {
        guard appends > max else { return }
        throw .correctness(
            "window: \(appends) appends are on their way to \(member), \(max) may be")
    }

    /// At the end of a calm stretch: who led before leads on.
    ///
    /// - Parameters:
    ///   - before: the leader's term when it began; nil where there is no leader.
    ///   - after: the same at its end.
    package static func rested(before: UInt64?, after: UInt64?) throws(Violation) {
        guard before != nil, before == after else {
            throw .liveness("an election in a calm stretch, after term \(before ?? 0)")
        }
    }

    /// A majority of the voters and, while the membership is joint, of those before them.
    static func isQuorum(_ membership: Membership, _ holds: (UInt64) -> Bool) -> Bool {
        [membership.voters, membership.outgoing].allSatisfy { voters in
            voters.isEmpty || voters.filter(holds).count > voters.count / 2
        }
    }
}

/// What must not go back within a process, and the order of its positions.
package struct Monotony {
    private var term: UInt64 = 0
    private var vote: UInt64 = 0
    private var commit: UInt64 = 0
    private var applied: UInt64 = 0
    private var revision: Int64 = 0
    private var compactRevision: Int64 = 0

    package init() {}

    /// The state is known to be wrong, and what takes its place may be behind it.
    package mutating func forgetRevisions() {
        applied = 0
        revision = 0
        compactRevision = 0
    }

    /// Raft is `inout` because it is called after every round, and not to be copied.
    package mutating func check(
        _ raft: inout Raft, stateIndex: UInt64, revision: Int64, compactRevision: Int64
    ) throws(Violation) {
        guard raft.term >= term, raft.commitIndex >= commit, stateIndex >= applied,
            revision >= self.revision, compactRevision >= self.compactRevision
        else {
            throw .correctness(
                "\(raft.id) went back: term \(term) to \(raft.term), commit \(commit) to "
                    + "\(raft.commitIndex), applied \(applied) to \(stateIndex), revision "
                    + "\(self.revision) to \(revision), compacted \(self.compactRevision) to "
                    + "\(compactRevision)")
        }
        guard raft.term > term || vote == 0 || raft.vote == vote else {
            throw .correctness("\(raft.id) changed its vote in term \(term)")
        }
        guard raft.firstIndex <= raft.appliedIndex + 1, raft.appliedIndex <= raft.commitIndex,
            raft.commitIndex <= raft.lastIndex, stateIndex <= raft.commitIndex
        else {
            throw .correctness(
                "\(raft.id) is out of order: purged \(raft.firstIndex - 1), applied "
                    + "\(raft.appliedIndex), committed \(raft.commitIndex), last "
                    + "\(raft.lastIndex), state \(stateIndex)")
        }
        (term, vote) = (raft.term, raft.vote)
        (commit, applied) = (raft.commitIndex, stateIndex)
        (self.revision, self.compactRevision) = (revision, compactRevision)
    }
}
