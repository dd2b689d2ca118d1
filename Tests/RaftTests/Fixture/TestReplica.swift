import Basics
import Raft

/// A Raft with a log, a state machine and a shell in memory.
struct TestReplica {
    struct Write {
        var ready: Ready
        var state: HardState?
    }

    var raft: Raft
    /// What is durable.
    var hardState = HardState()
    var entries: [Entry] = []
    /// Entry before the first one kept, and the members as of it.
    var snapshot: SnapshotMeta
    /// Payloads applied, membership changes included.
    var applied: [String] = []
    /// The members as of what is applied.
    var membership: Membership
    /// Taken and not yet durable.
    var pendingWrites: [Ready] = []
    /// Whether writes become durable only on command.
    var isDiskManual = false

    init(_ configuration: Raft.Configuration, membership: Membership) {
        raft = Raft(configuration, Raft.InitialState(membership: membership))
        self.membership = membership
        snapshot = SnapshotMeta(index: 0, term: 0, membership: membership)
    }

    /// The oldest write becomes durable. Returns the messages that waited for it.
    mutating func persistOne() -> [Message] {
        let ready = pendingWrites.removeFirst()
        if let state = ready.hardState { hardState = state }
        if let first = ready.entries.first {
            entries.removeAll { $0.index >= first.index }
            entries += ready.entries
        }
        if let mark = ready.mark { raft.persisted(mark) }
        return ready.messagesAfterPersist
    }

    mutating func apply(_ committed: [Entry]) {
        for entry in committed {
            switch entry.kind {
            case .normal:
                applied.append(String(decoding: entry.payload, as: UTF8.self))
            case .membership:
                guard let change = try? MembershipChange(decoding: entry.payload) else {
                    preconditionFailure("undecodable membership change")
                }
                applied.append(Trace.describe(change))
                membership = raft.membershipApplied(change)
            }
            raft.applied(entry.index)
        }
    }

    mutating func compact(to index: UInt64) {
        guard let term = raft.term(at: index) else { return }
        snapshot = SnapshotMeta(index: index, term: term, membership: membership)
        entries.removeAll { $0.index <= index }
        raft.compacted(to: index)
    }

    mutating func install(_ meta: SnapshotMeta, state: [String], keepsLog: Bool) {
        snapshot = meta
        if keepsLog {
            entries.removeAll { $0.index <= meta.index }
        } else {
            entries = []
            pendingWrites = []
        }
        applied = state
        membership = meta.membership
        raft.snapshotInstalled(meta)
    }

    /// Damage costs what is behind an entry, and the replica starts again.
    mutating func loseEntries(behind index: UInt64, _ lost: LostTail) {
        entries.removeAll { $0.index > index }
        restart(lost: lost)
    }

    /// The directory is lost; the replica comes back under its id, knowing nothing.
    mutating func loseEverything() {
        self = TestReplica(raft.configuration, membership: Membership(voters: []))
    }

    /// Loses everything that is not durable. The state machine is rebuilt by applying again what
    /// the log holds after its snapshot.
    mutating func restart(lost: LostTail? = nil) {
        pendingWrites = []
        let kept = applied.count - Int(raft.appliedIndex - snapshot.index)
        applied.removeSubrange(kept...)
        membership = snapshot.membership
        raft = Raft(
            raft.configuration,
            Raft.InitialState(
                hardState: hardState, membership: membership, snapshotIndex: snapshot.index,
                snapshotTerm: snapshot.term, entries: entries, applied: snapshot.index,
                lost: lost))
    }
}
