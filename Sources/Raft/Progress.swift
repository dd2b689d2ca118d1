/// What the leader knows about one other member.
struct Progress: Sendable {
    enum State: Sendable, Hashable {
        /// Where the logs agree is unknown: one append at a time, until one is accepted.
        case probe
        /// Appends are pipelined, on the assumption that they arrive.
        case replicate
        /// The member needs entries that are compacted. `ticksSinceSent` is nil while the shell
        /// streams the snapshot, then counts until the member says that it has it.
        case snapshot(ticksSinceSent: Int?)
    }

    let id: UInt64
    /// Durable at the member, and equal to our log.
    private(set) var match: UInt64 = 0
    /// First entry of the next append.
    private(set) var next: UInt64
    private(set) var state: State = .probe
    /// In `.probe`: an append is under way, or was lost; a heartbeat response ends the pause.
    private(set) var isPaused = false
    private(set) var inflight = Inflights()
    /// Of a learner: whether it could become a voter.
    private(set) var catchUp = CatchUp()
    /// Heard of since the last check of the quorum.
    var isActive = false
    /// The same, as of that check.
    private(set) var wasActive = false
    /// Commit index of the last append sent.
    private(set) var commitTold: UInt64 = 0
    /// Send an append even if it is empty: its answer shows whether earlier ones were lost.
    private(set) var probeDue = false

    init(id: UInt64, next: UInt64) {
        self.id = id
        self.next = next
    }

    /// Whether an append should leave now, given the leader's log.
    func wantsAppend(lastIndex: UInt64, commit: UInt64, isFull: Bool) -> Bool {
        switch state {
        case .probe: !isPaused && (probeDue || match < lastIndex || commitTold < commit)
        case .replicate where isFull: probeDue
        case .replicate: probeDue || next <= lastIndex || commitTold < commit
        case .snapshot: false
        }
    }

    mutating func sent(_ entries: [Entry], commit: UInt64) {
        commitTold = commit
        probeDue = false
        switch state {
        case .probe:
            isPaused = true
        case .replicate:
            guard let last = entries.last else { return }
            next = last.index + 1
            inflight.add(lastIndex: last.index, bytes: entries.reduce(0) { $0 + $1.cost })
        case .snapshot:
            preconditionFailure("append to member \(id), which waits for a snapshot")
        }
    }

    /// The member's log agrees up to `index`. Returns whether that is news.
    mutating func accepted(_ index: UInt64) -> Bool {
        let isNews = index > match
        if isNews {
            match = index
            next = max(next, index + 1)
        }
        switch state {
        case .probe where index >= match: becomeReplicate()
        case .replicate: inflight.acknowledged(index)
        default: break
        }
        return isNews
    }

    /// The member's log does not agree at `index`, but may at `hint`. Stale answers change nothing.
    mutating func rejected(_ index: UInt64, hint: UInt64) {
        switch state {
        case .replicate where index > match:
            becomeProbe(next: match + 1)
        case .probe where next - 1 == index:
            next = max(min(index, hint + 1), match + 1)
            isPaused = false
            probeDue = true
        default:
            break
        }
    }

    mutating func heartbeatAnswered(lastIndex: UInt64) {
        isPaused = false
        if match < lastIndex { probeDue = true }
    }

    /// The member does not have any more what it acknowledged. What that committed stays so.
    mutating func forget() {
        match = 0
        catchUp.reset()
    }

    mutating func goOn(behind index: UInt64) {
        if case .snapshot = state { return }
        becomeProbe(next: index + 1)
        probeDue = true
    }

    mutating func becomeProbe(next: UInt64) {
        state = .probe
        self.next = max(next, match + 1)
        isPaused = false
        inflight.forget()
    }

    mutating func becomeReplicate() {
        state = .replicate
        next = match + 1
        isPaused = false
        inflight.forget()
    }

    mutating func becomeSnapshot() {
        state = .snapshot(ticksSinceSent: nil)
        isPaused = false
        inflight.forget()
    }

    mutating func snapshotSent() {
        state = .snapshot(ticksSinceSent: 0)
    }

    /// Probes again, but not before the member answers a heartbeat.
    mutating func snapshotFailed() {
        becomeProbe(next: match + 1)
        isPaused = true
    }

    /// Forgets who was heard of, after a check of the quorum.
    mutating func startCheck() {
        wasActive = isActive
        isActive = false
    }

    /// Counts a tick; after four election timeouts without a word from a member that was sent the
    /// whole snapshot, starts probing again.
    mutating func tick(lastIndex: UInt64, electionTicks: Int) {
        if state == .replicate {
            catchUp.tick(match: match, lastIndex: lastIndex, electionTicks: electionTicks)
        } else {
            catchUp.reset()
        }
        guard case .snapshot(let ticks?) = state else { return }
        if ticks + 1 >= electionTicks * 4 {
            becomeProbe(next: match + 1)
        } else {
            state = .snapshot(ticksSinceSent: ticks + 1)
        }
    }
}
