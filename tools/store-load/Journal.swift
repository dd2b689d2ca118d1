import Basics
import Keyspace
import Simulator

/// What every client saw, in the order of calls and answers across all of them.
final class Journal: Sendable {
    struct Entry: Sendable {
        var operation: HistoryOperation
        /// Set for writes; every put of the load has a value of its own.
        var value: Bytes?
        /// The revision that the answer named.
        var revision: Int64?
    }

    /// A time without an acknowledged write, and when in the run it ended.
    struct Gap: Sendable {
        var milliseconds: UInt64
        var endedAfterSeconds: UInt64
    }

    private struct State {
        var position = 0
        var entries: [Entry] = []
        /// When writes were acknowledged, for the longest time without one.
        var lastAcknowledged: MonotonicTime?
        var longestGap = Gap(milliseconds: 0, endedAfterSeconds: 0)
        var acknowledged = 0
    }
    private let state = Locked(State())
    private let start = MonotonicTime.now()

    /// The next position in the order of events.
    func tick() -> Int {
        state.withLock { state in
            state.position += 1
            return state.position
        }
    }

    func add(_ entry: Entry, now: MonotonicTime) {
        state.withLock { state in
            state.entries.append(entry)
            guard entry.value != nil, entry.revision != nil else { return }
            state.acknowledged += 1
            if let last = state.lastAcknowledged {
                let milliseconds = now.milliseconds(since: last)
                if milliseconds > state.longestGap.milliseconds {
                    state.longestGap = Gap(
                        milliseconds: milliseconds,
                        endedAfterSeconds: now.milliseconds(since: start) / 1_000)
                }
            }
            state.lastAcknowledged = now
        }
    }

    var entries: [Entry] { state.withLock { $0.entries } }
    var acknowledged: Int { state.withLock { $0.acknowledged } }
    var longestGap: Gap { state.withLock { $0.longestGap } }
}
