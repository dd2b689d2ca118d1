package import Raft
package import ReplicaCore
import WriteAheadLog

/// What a replica's log holds, as far as it was told to: terms only. The checks compare it with
/// what Raft claims and with what a restart finds.
package struct LogMirror: Sendable, Equatable {
    /// The entry before the first.
    private(set) var offset: UInt64 = 0
    private var offsetTerm: UInt64 = 0
    private var terms: [UInt64] = []
    private(set) var term: UInt64 = 0
    private(set) var vote: UInt64 = 0

    package init() {}

    package init(_ initial: Raft.InitialState) {
        offset = initial.snapshotIndex
        offsetTerm = initial.snapshotTerm
        terms = initial.entries.map(\.term)
        term = initial.hardState.term
        vote = initial.hardState.vote
    }

    var lastIndex: UInt64 { offset + UInt64(terms.count) }

    func term(at index: UInt64) -> UInt64? {
        if index == offset { return offsetTerm }
        guard index > offset, index <= lastIndex else { return nil }
        return terms[Int(index - offset) - 1]
    }

    package mutating func apply(_ work: LogWork) {
        switch work {
        case .write(let write):
            if let state = write.hardState { (term, vote) = (state.term, state.vote) }
            for entry in write.entries {
                if entry.index <= offset {
                    (offset, offsetTerm, terms) = (entry.index, entry.term, [])
                } else {
                    if entry.index <= lastIndex {
                        terms.removeLast(Int(lastIndex - entry.index) + 1)
                    }
                    terms.append(entry.term)
                }
            }
        case .snapshot, .healed, .shrink:
            break
        case .install(let mark):
            if mark.isInstalled { (offset, offsetTerm, terms) = (mark.index, mark.term, []) }
        }
    }

    /// Whether a log that was read back can be this one: the same hard state and end, and the same
    /// entries where both have them.
    func agrees(with found: LogMirror) -> Bool {
        guard term == found.term, vote == found.vote, lastIndex == found.lastIndex else {
            return false
        }
        var index = max(offset, found.offset)
        while index <= lastIndex {
            if term(at: index) != found.term(at: index) { return false }
            index += 1
        }
        return true
    }

    /// What a restart finds must be this, or this and the first of what was being written then,
    /// frame by frame.
    ///
    /// - Parameter isLost: the restart takes the log for damaged.
    package func checkRestart(
        _ replica: Int, finds found: LogMirror, isLost: Bool, inFlight: [LogWork]
    ) throws(Violation) {
        var candidate = self
        var isRight = candidate.agrees(with: found)
        for work in inFlight where !isRight {
            candidate.apply(work)
            isRight = candidate.agrees(with: found)
        }
        guard isRight else {
            throw .correctness(
                "replica \(replica) lost part of its log: durable was \(text), a restart finds "
                    + "\(found.text)")
        }
        guard !isLost else {
            throw .correctness(
                "replica \(replica) takes its log for damaged, which it is not")
        }
    }

    var text: String { "term \(term), vote \(vote), entries \(offset) to \(lastIndex)" }
}
