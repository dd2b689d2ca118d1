import Basics

/// The entries in memory, and how far each of them got.
///
/// `offset <= applied <= handedToApply <= commit <= lastIndex`, and
/// `handedToApply <= persisted <= handedToLog <= lastIndex`.
struct RaftLog: Sendable {
    /// The entry before the first one kept.
    private(set) var offset: UInt64
    private(set) var offsetTerm: UInt64
    private(set) var entries: [Entry]
    private(set) var commit: UInt64
    /// Given to the shell to write.
    private(set) var handedToLog: UInt64
    /// Durable at this replica.
    private(set) var persisted: UInt64
    /// Given to the shell to apply.
    private(set) var handedToApply: UInt64
    private(set) var applied: UInt64

    init(_ initial: Raft.InitialState) {
        offset = initial.snapshotIndex
        offsetTerm = initial.snapshotTerm
        entries = initial.entries
        var previous = (index: offset, term: offsetTerm)
        for entry in entries {
            precondition(entry.index == previous.index + 1, "log has a gap at \(entry.index)")
            precondition(entry.term >= previous.term, "terms fall at entry \(entry.index)")
            previous = (entry.index, entry.term)
        }
        precondition(
            initial.applied >= offset && initial.applied <= previous.index,
            "applied \(initial.applied) is outside of the log \(offset)...\(previous.index)")
        applied = initial.applied
        handedToApply = applied
        // A torn write may have kept the hard state and lost entries that were never acknowledged.
        commit = max(applied, min(initial.hardState.commit, previous.index))
        persisted = previous.index
        handedToLog = previous.index
    }

    var lastIndex: UInt64 { offset + UInt64(entries.count) }
    var lastTerm: UInt64 { entries.last?.term ?? offsetTerm }

    /// Term of an entry; nil if it is compacted or not there yet.
    func term(_ index: UInt64) -> UInt64? {
        if index == offset { return offsetTerm }
        guard index > offset, index <= lastIndex else { return nil }
        return entries[position(index)].term
    }

    /// The greatest index up to `index` whose term is at most `term`: where a log that has `term`
    /// at `index` could agree with this one. Not below `offset`.
    func lastIndex(upTo index: UInt64, ofTermAtMost term: UInt64) -> UInt64 {
        var candidate = index
        while candidate > offset, let own = self.term(candidate), own > term { candidate -= 1 }
        return candidate
    }

    /// Whether a log that ends like this holds all that ours might have committed.
    func isUpToDate(lastIndex index: UInt64, lastTerm term: UInt64) -> Bool {
        term > lastTerm || (term == lastTerm && index >= lastIndex)
            || Mutant.isOn(.votesForShorterLogs)
    }

    /// Entries from `first` on, in at most `bytesMax` bytes, but one at least if there is one.
    func slice(from first: UInt64, through last: UInt64, bytesMax: Int) -> [Entry] {
        precondition(first > offset, "entry \(first) is compacted (log starts after \(offset))")
        guard first <= last else { return [] }
        var end = position(first)
        var bytes = 0
        repeat {
            bytes += entries[end].cost
            end += 1
        } while end <= position(last) && bytes + entries[end].cost <= bytesMax
        return Array(entries[position(first)..<end])
    }

    mutating func append(_ entry: Entry) {
        precondition(entry.index == lastIndex + 1 && entry.term >= lastTerm)
        entries.append(entry)
    }

    /// Removes `first` and what follows. Committed entries stay for ever.
    mutating func truncate(from first: UInt64) {
        precondition(first > commit, "entry \(first) is committed (up to \(commit))")
        entries.removeSubrange(position(first)...)
        handedToLog = min(handedToLog, first - 1)
        persisted = min(persisted, first - 1)
    }

    mutating func commit(to index: UInt64) {
        precondition(index <= lastIndex, "commit \(index) is beyond the log's end \(lastIndex)")
        commit = max(commit, index)
    }

    mutating func markPersisted(to index: UInt64) {
        precondition(index <= handedToLog, "\(index) was never handed to the log")
        persisted = max(persisted, index)
    }

    mutating func markApplied(to index: UInt64) {
        precondition(
            index >= applied && index <= handedToApply,
            "applied \(index) is not in \(applied)...\(handedToApply)")
        applied = index
    }

    /// Entries that the log does not have yet.
    mutating func takeUnwritten() -> [Entry] {
        guard handedToLog < lastIndex else { return [] }
        defer { handedToLog = lastIndex }
        return Array(entries[position(handedToLog + 1)...])
    }

    /// Entries to apply: committed by the cluster and durable here.
    mutating func takeCommitted(bytesMax: Int) -> [Entry] {
        let taken = slice(
            from: handedToApply + 1, through: min(commit, persisted), bytesMax: bytesMax)
        handedToApply += UInt64(taken.count)
        return taken
    }

    mutating func compact(to index: UInt64) {
        guard index > offset else { return }
        precondition(index <= applied, "entry \(index) is not applied (\(applied) is)")
        guard let term = term(index) else { return }
        entries.removeSubrange(..<(position(index) + 1))
        offset = index
        offsetTerm = term
    }

    /// Starts anew after a snapshot.
    mutating func reset(to meta: SnapshotMeta) {
        precondition(
            meta.index > commit || Mutant.isOn(.lateSnapshotCutsLog),
            "snapshot \(meta.index) is older than commit \(commit)")
        entries = []
        offset = meta.index
        offsetTerm = meta.term
        commit = meta.index
        handedToLog = meta.index
        persisted = meta.index
        handedToApply = meta.index
        applied = meta.index
    }

    /// Goes on after a snapshot of a state that is within this log. What is behind it stays.
    mutating func rebase(onto meta: SnapshotMeta) {
        precondition(term(meta.index) == meta.term && meta.index >= applied)
        commit = max(commit, meta.index)
        handedToLog = max(handedToLog, meta.index)
        persisted = max(persisted, meta.index)
        handedToApply = meta.index
        applied = meta.index
        compact(to: meta.index)
    }

    /// Bytes of the entries after the commit index.
    var uncommittedBytes: Int {
        cost(from: commit + 1, through: lastIndex)
    }

    func cost(from first: UInt64, through last: UInt64) -> Int {
        guard first <= last else { return 0 }
        return entries[position(first)...position(last)].reduce(0) { $0 + $1.cost }
    }

    func entries(after index: UInt64) -> ArraySlice<Entry> {
        entries[(position(index) + 1)...]
    }

    private func position(_ index: UInt64) -> Int { Int(index - offset) - 1 }
}
