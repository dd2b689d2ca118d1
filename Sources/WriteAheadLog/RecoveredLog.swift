import Basics
package import Raft

/// What a log holds, as its opening found it. All of it is durable.
package struct RecoveredLog: Sendable {
    package var hardState = HardState()
    /// The newest snapshot mark; index 0 if there is none.
    package var snapshot = SnapshotMark(index: 0, term: 0)
    /// The entry before the first of `entries`.
    package var previousIndex: UInt64 = 0
    package var previousTerm: UInt64 = 0
    package var entries: [Entry] = []
    /// Bytes of an unfinished append that were cut off, for the reader of the process's log.
    package var cutBytes: UInt64 = 0
    /// There was no log.
    package var isNew = false

    /// Entries up to here are not kept in memory, only walked over.
    var skipping: UInt64 = 0
    /// Entries up to here can never come again: a snapshot replaced them.
    private var floor: UInt64 = 0

    package init() {}

    package var lastIndex: UInt64 { entries.last?.index ?? previousIndex }
    package var lastTerm: UInt64 { entries.last?.term ?? previousTerm }

    /// The oldest segment says what came before it. Entries that it holds up to there replaced
    /// released ones; they are released themselves, but for the term of the last.
    mutating func begin(previousIndex: UInt64, previousTerm: UInt64) {
        skipping = max(skipping, previousIndex)
        self.previousIndex = previousIndex
        self.previousTerm = previousTerm
    }

    /// Takes one record in; says what is wrong with it if it cannot follow what came before.
    mutating func take(_ record: LogRecord) -> String? {
        switch record {
        case .hardState(let state):
            hardState = state
        case .snapshot(let mark):
            snapshot = mark
            if mark.isInstalled {
                entries = []
                floor = mark.index
                previousIndex = mark.index
                previousTerm = mark.term
            }
        case .entry(let entry):
            guard entry.index > floor, entry.index <= lastIndex + 1 else {
                return "entry \(entry.index) follows entry \(lastIndex)"
            }
            if entry.index <= previousIndex {
                // Below `skipping`, hence this entry becomes the previous one.
                entries = []
            } else if entry.index <= lastIndex {
                entries.removeLast(Int(lastIndex - entry.index) + 1)
            }
            if entry.index <= skipping {
                previousIndex = entry.index
                previousTerm = entry.term
            } else {
                entries.append(entry)
            }
        }
        return nil
    }
}
