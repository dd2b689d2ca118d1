import Basics
package import Raft

/// How many of the entries that are applied already are kept in memory, the newest.
package struct KeptEntries: Sendable {
    package static let none = KeptEntries(countMax: 0, bytesMax: 0)

    var countMax: Int
    var bytesMax: Int

    package init(countMax: Int, bytesMax: Int) {
        self.countMax = countMax
        self.bytesMax = bytesMax
    }
}

/// What a log holds, as its opening found it. All of it is durable.
package struct RecoveredLog: Sendable {
    package var hardState = HardState()
    /// The newest snapshot mark; index 0 if there is none.
    package var snapshot = SnapshotMark(index: 0, term: 0)
    /// The entry before the first of `entries`.
    package var previousIndex: UInt64 = 0
    package var previousTerm: UInt64 = 0
    package var entries: [Entry] = []
    /// Bytes of an unfinished write that were cut off, for the reader of the process's log.
    package var cutBytes: UInt64 = 0
    /// There was no log.
    package var isNew = false
    /// What damage, now or at an earlier opening, may have cost; nil if nothing is missing.
    package var lost: LostTail?
    /// What this opening found, if it was told to go on behind damage.
    package var damage: LogDamage?

    /// Entries up to here are needed by nobody here.
    var skipping: UInt64 = 0
    /// How many of them are kept in memory all the same.
    var keeping = KeptEntries.none
    /// About what they take.
    private var keptBytes = 0
    /// Entries up to here can never come again: a snapshot replaced them.
    private var floor: UInt64 = 0
    /// Entries up to here are only walked over.
    private var floorOfKept: UInt64 = 0
    /// The log as it was before the first damage; the rest is what stands behind the last.
    private(set) var beforeDamage: Whole?

    /// A part of a log without damage.
    struct Whole: Sendable {
        var previousIndex: UInt64
        var previousTerm: UInt64
        var entries: [Entry]
    }

    package init() {}

    /// - Parameter skipping: the last entry that is needed by nobody here.
    init(skipping: UInt64, keeping: KeptEntries) {
        self.skipping = skipping
        self.keeping = keeping
        floorOfKept = skipping - min(skipping, UInt64(keeping.countMax))
    }

    /// Whether a whole segment need not be read.
    func passesOver(lastEntry: UInt64, bytesBehind: UInt64) -> Bool {
        lastEntry <= floorOfKept
            || lastEntry <= skipping && bytesBehind >= UInt64(keeping.bytesMax)
    }

    package var lastIndex: UInt64 { entries.last?.index ?? previousIndex }
    package var lastTerm: UInt64 { entries.last?.term ?? previousTerm }

    /// Of an entry that is here, or of the one before the first.
    func term(at index: UInt64) -> UInt64? {
        if index == previousIndex { return previousTerm }
        guard let first = entries.first, index >= first.index, index <= lastIndex else {
            return nil
        }
        return entries[Int(index - first.index)].term
    }

    /// The first segment that is read, after those that are not, says what came before it. Entries
    /// that it holds up to there replaced released ones; they are released themselves, but for the
    /// term of the last. What an older segment held behind there had been replaced: it is one that
    /// was read because of such entries alone.
    mutating func begin(previousIndex: UInt64, previousTerm: UInt64) {
        entries = []
        keptBytes = 0
        floorOfKept = max(floorOfKept, previousIndex)
        self.previousIndex = previousIndex
        self.previousTerm = previousTerm
    }

    /// Goes on behind damage, where the log is known to end in this entry. Two logs that have an
    /// entry of one index and term are equal up to it: then nothing is missing.
    /// Returns whether that is so.
    mutating func resume(lastIndex: UInt64, lastTerm: UInt64) -> Bool {
        if beforeDamage == nil, (lastIndex, lastTerm) == (self.lastIndex, self.lastTerm) {
            return true
        }
        if beforeDamage == nil {
            beforeDamage = Whole(
                previousIndex: previousIndex, previousTerm: previousTerm, entries: entries)
        }
        entries = []
        previousIndex = lastIndex
        previousTerm = lastTerm
        return false
    }

    /// The log without what stands behind the damage.
    mutating func cutAtDamage() {
        guard let whole = beforeDamage else { return }
        previousIndex = whole.previousIndex
        previousTerm = whole.previousTerm
        entries = whole.entries
        beforeDamage = nil
    }

    /// Lets go of the entries behind one.
    mutating func cut(behind index: UInt64) {
        while let last = entries.last, last.index > index { entries.removeLast() }
    }

    /// Takes one record in; says what is wrong with it if it cannot follow what came before.
    mutating func take(_ record: LogRecord) -> String? {
        switch record {
        case .hardState(let state):
            hardState = state
        case .lost(let lost):
            self.lost = lost
        case .snapshot(let mark):
            snapshot = mark
            if mark.isInstalled {
                entries = []
                floor = mark.index
                previousIndex = mark.index
                previousTerm = mark.term
                // Whatever is missing before it was replaced by the snapshot.
                beforeDamage = nil
            }
        case .entry(let entry):
            return take(entry)
        }
        return nil
    }

    private mutating func take(_ entry: Entry) -> String? {
        guard entry.index > floor, entry.index - 1 <= lastIndex else {
            return "entry \(entry.index) follows entry \(lastIndex)"
        }
        if entry.index <= previousIndex {
            // Only walked over or in what is damaged, hence this entry becomes the previous one.
            entries = []
        } else if entry.index <= lastIndex {
            entries.removeLast(Int(lastIndex - entry.index) + 1)
        }
        if entry.index <= floorOfKept || entry.index <= previousIndex {
            previousIndex = entry.index
            previousTerm = entry.term
            return nil
        }
        entries.append(entry)
        if entry.index <= skipping {
            keptBytes += entry.payload.count
            if keptBytes > 2 * keeping.bytesMax { trim() }
        }
        return nil
    }

    /// Lets go of the oldest of the entries that nobody needs, down to the bytes that may be kept.
    mutating func trim() {
        var bytes = 0
        var first = entries.count
        while first > 0 {
            let entry = entries[first - 1]
            if entry.index <= skipping {
                guard bytes + entry.payload.count <= keeping.bytesMax else { break }
                bytes += entry.payload.count
            }
            first -= 1
        }
        keptBytes = bytes
        guard first > 0 else { return }
        previousIndex = entries[first - 1].index
        previousTerm = entries[first - 1].term
        entries.removeFirst(first)
    }
}
