import Basics
package import Keyspace
package import Raft

/// Applies entries of the log to a keyspace restored from a snapshot, up to a goal.
package struct Replay {
    private static let batchEntriesMax = 512

    private let keyspace: Keyspace
    private let goal: RestoreGoal
    private var batch: [AppliedEntry] = []
    /// More revisions than this the batch cannot make.
    private var batchRevisionsMax: Int64 = 0
    /// The newest time of an entry so far.
    package private(set) var milliseconds: UInt64 = 0
    package private(set) var isReached = false
    /// The first entry whose time is before that of another one before it, and both.
    package private(set) var setBack: (index: UInt64, from: UInt64, to: UInt64)?
    /// Clocks of two leaders may differ by this much without a word.
    private static let skewMilliseconds: UInt64 = 1000

    package init(_ keyspace: Keyspace, goal: RestoreGoal) {
        self.keyspace = keyspace
        self.goal = goal
        if case .revision(let target) = goal { isReached = keyspace.revision >= target }
        if case .snapshot = goal { isReached = true }
    }

    /// The entry that comes next.
    private var nextIndex: UInt64 { (batch.last?.index ?? keyspace.appliedIndex) + 1 }

    /// Takes entries, of which those applied already are left out.
    ///
    /// - Parameter place: where they come from, for errors.
    package mutating func take(_ entries: [Entry], from place: String) throws(BackupError) {
        for entry in entries {
            if isReached { return }
            if entry.index < nextIndex { continue }
            guard entry.index == nextIndex else {
                throw BackupError(
                    "entries \(nextIndex) to \(entry.index - 1) of the log are missing before"
                        + " \(place)")
            }
            try take(entry, place)
        }
    }

    private mutating func take(_ entry: Entry, _ place: String) throws(BackupError) {
        var command = Command.nothing
        if entry.kind == .normal {
            do throws(DecodingFailure) {
                command = try Command(decoding: entry.payload)
            } catch {
                throw BackupError("entry \(entry.index) in \(place) does not decode: \(error)")
            }
            let own = Command.milliseconds(of: entry.payload)
            if own > 0, own + Self.skewMilliseconds < milliseconds, setBack == nil {
                setBack = (entry.index, milliseconds, own)
            }
            let time = max(milliseconds, own)
            if case .time(let end) = goal, time > end {
                isReached = true
                return try finish()
            }
            milliseconds = time
        }
        let revisions = Self.revisionsMax(command)
        if !fits(revisions) { try finish() }
        if isReached { return }
        batch.append(AppliedEntry(index: entry.index, term: entry.term, command: command))
        batchRevisionsMax += revisions
        if !fits(0) || batch.count >= Self.batchEntriesMax { try finish() }
    }

    /// Whether the batch with so many revisions more certainly ends before the goal.
    private func fits(_ revisions: Int64) -> Bool {
        guard case .revision(let target) = goal else { return true }
        return keyspace.revision + batchRevisionsMax + revisions < target
    }

    private static func revisionsMax(_ command: Command) -> Int64 {
        switch command.unstamped {
        case .transaction, .leaseRevoke: 1
        case .commit(let request): Int64(request.mutations.count)
        default: 0
        }
    }

    /// Applies what waits.
    package mutating func finish() throws(BackupError) {
        let waiting = batch
        batch = []
        batchRevisionsMax = 0
        guard !waiting.isEmpty else { return }
        let target = keyspace
        try Backup.keyspace { () throws(KeyspaceError) in _ = try target.apply(waiting) }
        if case .revision(let target) = goal { isReached = keyspace.revision >= target }
    }
}
