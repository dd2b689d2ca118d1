import Basics
import Keyspace
import StoreJudgement

/// What every client saw, in the order of calls and answers across all of them.
final class Journal: Sendable {
    /// A time without an acknowledged write, and when in the run it ended.
    struct Gap: Sendable {
        var milliseconds: UInt64
        var endedAfterSeconds: UInt64
    }

    private struct State {
        var position = 0
        var operations: [LoadOperation] = []
        var compactRevision: Int64 = 0
        /// When writes were acknowledged, for the longest time without one.
        var lastAcknowledged: MonotonicTime?
        var longestGap = Gap(milliseconds: 0, endedAfterSeconds: 0)
        var acknowledged = 0
    }
    private let state = Locked(State())
    private let start = MonotonicTime.now()

    /// The next position in the order of events, and the time.
    func moment() -> LoadOperation.Moment {
        state.withLock { state in
            state.position += 1
            return LoadOperation.Moment(
                position: state.position, microseconds: MonotonicTime.now().nanoseconds / 1_000)
        }
    }

    /// Somebody is about to ask for a compaction.
    func compacting(to revision: Int64) {
        state.withLock { $0.compactRevision = max($0.compactRevision, revision) }
    }

    func sighting(_ batch: WatchBatch, isFirst: Bool) -> WatchSighting {
        WatchSighting(
            batch, microseconds: MonotonicTime.now().nanoseconds / 1_000,
            compactRevision: state.withLock { $0.compactRevision }, isFirst: isFirst)
    }

    func add(_ operation: LoadOperation) {
        let now = MonotonicTime.now()
        state.withLock { state in
            state.operations.append(operation)
            guard operation.isWrite, operation.revision != nil else { return }
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

    var operations: [LoadOperation] { state.withLock { $0.operations } }
    var acknowledged: Int { state.withLock { $0.acknowledged } }
    var longestGap: Gap { state.withLock { $0.longestGap } }
}
