import Raft
import ReplicaCore
import Simulator
import Testing
import WriteAheadLog

/// What a restart may find of a log, and what it must not.
@Suite struct LogMirrorTests {
    private func write(
        _ terms: [UInt64], from first: UInt64, _ state: HardState? = nil
    ) -> LogWork {
        let entries = terms.enumerated().map { offset, term in
            Entry(term: term, index: first + UInt64(offset), payload: [])
        }
        return .write(
            LogWrite(
                hardState: state, entries: entries, mark: WriteMark(number: 1, index: 0, term: 0),
                messages: []))
    }

    private func log(
        _ terms: [UInt64], behind index: UInt64 = 0, term: UInt64 = 3, vote: UInt64 = 2
    ) -> LogMirror {
        let entries = terms.enumerated().map { offset, term in
            Entry(term: term, index: index + 1 + UInt64(offset), payload: [])
        }
        return LogMirror(
            Raft.InitialState(
                hardState: HardState(term: term, vote: vote, commit: 0),
                membership: Membership(voters: [1, 2, 3]), snapshotIndex: index,
                snapshotTerm: index == 0 ? 0 : 1, entries: entries, applied: index))
    }

    /// Vote and entries of terms 1, 1, 2.
    private func durable() -> LogMirror {
        var mirror = LogMirror()
        mirror.apply(write([1, 1, 2], from: 1, HardState(term: 3, vote: 2, commit: 0)))
        return mirror
    }

    private func restart(
        _ found: LogMirror, isLost: Bool = false, inFlight: [LogWork] = []
    ) throws(Violation) {
        try durable().checkRestart(5, finds: found, isLost: isLost, inFlight: inFlight)
    }

    @Test func whatWasDurableIsFound() throws {
        try restart(log([1, 1, 2]))
        // Entries that the state holds need not be kept.
        try restart(log([1, 2], behind: 1))
    }

    @Test func whatIsMissingOrAnotherIsSeen() {
        let bad = [
            log([1, 1]), log([1, 1, 3]), log([1, 1, 2, 3]), log([1, 1, 2], term: 2),
            log([1, 1, 2], vote: 0), log([1, 1, 2], vote: 3), LogMirror(),
        ]
        for found in bad {
            expectViolation("replica 5 lost part of its log") { try restart(found) }
        }
    }

    @Test func whatWasBeingWrittenIsFoundInItsOrder() throws {
        let next = [write([3], from: 3), write([3, 3], from: 4)]
        for found in [log([1, 1, 2]), log([1, 1, 3]), log([1, 1, 3, 3, 3])] {
            try restart(found, inFlight: next)
        }
        // The second without the first, a part of the second, and what was replaced.
        for found in [log([1, 1, 2, 3, 3]), log([1, 1, 3, 3]), log([1, 1])] {
            expectViolation("replica 5 lost part of its log") {
                try restart(found, inFlight: next)
            }
        }
    }

    @Test func anInstalledSnapshotTakesThePlaceOfTheLog() throws {
        let mark = SnapshotMark(index: 8, term: 1, isInstalled: true)
        try restart(log([], behind: 8), inFlight: [.install(mark)])
        expectViolation("replica 5 lost part of its log") { try restart(log([], behind: 8)) }
    }

    @Test func aWholeLogIsNotTakenForDamaged() {
        expectViolation("replica 5 takes its log for damaged") {
            try restart(log([1, 1, 2]), isLost: true)
        }
    }
}
