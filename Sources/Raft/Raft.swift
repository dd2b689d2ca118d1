import Basics

/// One replica's view of the consensus, without IO, clock or threads.
///
/// The shell calls one mutating function per event (a tick, a message, a proposal, something became
/// durable or applied) and then drains `takeReady()`, whose fields say what to do in which order.
/// The same inputs give the same outputs, in any process.
///
/// After Ongaro's dissertation: pre-vote (9.6), check quorum and leader stickiness (6.2, 4.2.3),
/// joint membership (4.3), read index and leases (6.4), leader transfer (3.10). A leader accepts a
/// change of members only after an entry of its own term and every earlier change is applied.
///
/// Writes of the log are asynchronous: what a replica promises (votes, acknowledgements, its own
/// share of a quorum) waits for `persisted`, everything else does not.
package struct Raft: Sendable {
    package internal(set) var configuration: Configuration
    package internal(set) var role: Role = .follower
    package internal(set) var term: UInt64
    package internal(set) var vote: UInt64
    /// 0 while unknown.
    package internal(set) var leader: UInt64 = 0
    /// The members at the end of the log, committed or not: those who vote and commit.
    package internal(set) var membership: Membership
    /// The members as of the last change that the shell applied.
    package internal(set) var appliedMembership: Membership
    var log: RaftLog
    var random: SeededRandom

    // Elections
    /// The shell's clock in nanoseconds, for leases only.
    var clock: UInt64 = 0
    /// Ticks since any leader was heard of, or since the start; for leases only.
    var ticksSinceHeard = 0
    /// Ticks since the leader was heard of; at a leader, since the quorum was checked.
    var electionElapsed = 0
    var electionTicks = 0
    var heartbeatElapsed = 0
    var ballots: [Ballot] = []

    // Leader only
    /// The other members, by id.
    var peers: [Progress] = []
    var uncommittedBytes = 0
    /// No membership change is accepted before this entry is applied.
    var membershipBarrier: UInt64 = 0
    /// Whom leadership is being handed to; 0 for nobody. Proposals wait meanwhile.
    package internal(set) var transferee: UInt64 = 0
    var disk = DiskWatch()
    var reads = ReadBatches()
    var lease = ReadLease()

    // Follower only
    var forwarded: [ForwardedRead] = []
    var installing: SnapshotMeta?
    /// The state machine is of no use: nothing is applied until a snapshot has replaced it.
    package internal(set) var wantsSnapshot = false
    /// What this replica acknowledged and lost; see `LostTail` for what it refrains from.
    package internal(set) var lost: LostTail?

    // Writes
    /// Number of the last write handed out.
    var writeNumber: UInt64 = 0
    /// Number of the newest write known to be durable.
    var persistedNumber: UInt64 = 0
    /// Acknowledgements of writes up to this one say nothing about the log as it is now: entries
    /// of theirs may have been replaced.
    var replacedNumber: UInt64 = 0
    /// Our own vote counts once this write is durable; nil while the vote is not handed out.
    var ballotNumber: UInt64?
    var writtenHardState: HardState

    var output = Output()
    var reported: LeaderChange
    package internal(set) var tally = Tally()

    package init(_ configuration: Configuration, _ initial: InitialState) {
        self.configuration = configuration
        term = initial.hardState.term
        vote = initial.hardState.vote
        appliedMembership = initial.membership
        log = RaftLog(initial)
        lost = initial.lost
        membership = Self.membership(initial.membership, in: log)
        precondition(
            term >= log.lastTerm, "term \(term) is older than the log's last, \(log.lastTerm)")
        random = SeededRandom(seed: configuration.seed ^ configuration.id &* 0x9e37_79b9)
        writtenHardState = initial.hardState
        reported = LeaderChange(leader: 0, term: term, role: .follower)
        resetElectionTimer()
    }

    package var id: UInt64 { configuration.id }
    package var commitIndex: UInt64 { log.commit }
    package var appliedIndex: UInt64 { log.applied }
    /// What is durable at this replica.
    package var persistedIndex: UInt64 { log.persisted }
    package var lastIndex: UInt64 { log.lastIndex }
    package var lastTerm: UInt64 { log.lastTerm }
    /// First entry kept in memory; one more than `lastIndex` if there is none.
    package var firstIndex: UInt64 { log.offset + 1 }
    package var isVoter: Bool { membership.isVoter(id) }
    package var isOnlyVoter: Bool { membership.allVoters == [id] }
    package var isLearner: Bool { !isVoter && membership.contains(id) }
    /// Whether this leader may answer reads: it has committed an entry of its own term, so that its
    /// commit index is the cluster's.
    package var hasCommittedInTerm: Bool { role == .leader && log.term(log.commit) == term }

    /// How far the other members are, by id; empty unless this is the leader.
    package var progress: [MemberProgress] {
        peers.map { MemberProgress($0, electionTicks: configuration.electionTicksMin) }
    }

    /// Term of an entry in memory, or of the one before the first; else nil.
    package func term(at index: UInt64) -> UInt64? { log.term(index) }

    /// Entries kept in memory, for the shell's decision to compact.
    package var entriesInMemory: Int { log.entries.count }
}

/// How often leases and limits made a difference since the start, for whoever measures.
package struct Tally: Sendable, Hashable {
    /// Reads that a leader answered by its lease, by what it was asked with.
    package var leaseReads = 0
    /// Proposals that were too much beyond what is committed.
    package var refusedProposals = 0
    /// Times that entries for one member had to wait because of the bytes in flight to it.
    package var heldAppends = 0

    package init() {}
}

/// One member's answer in the election under way.
struct Ballot: Sendable {
    var member: UInt64
    var isGranted: Bool
}

/// A read of this shell that the leader was asked about.
struct ForwardedRead: Sendable {
    var token: UInt64
    var ticks: Int
    var isSent: Bool
}

/// What gathers between two Readys.
struct Output: Sendable {
    var messages: [Message] = []
    var messagesAfterPersist: [Message] = []
    var reads: [Read] = []
    var abandonedReads: [UInt64] = []
    var snapshotsToSend: [UInt64] = []
    var snapshotToInstall: SnapshotMeta?
    var keepsLog = false
}
