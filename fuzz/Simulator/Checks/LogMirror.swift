import Raft
import ReplicaCore
import WriteAheadLog

/// What a replica's log holds, as far as it was told to: terms only. The checks compare it with
/// what Raft claims and with what a restart finds.
struct LogMirror: Sendable, Equatable {
    /// The entry before the first.
    private(set) var offset: UInt64 = 0
    private var offsetTerm: UInt64 = 0
    private var terms: [UInt64] = []
    private(set) var term: UInt64 = 0
    private(set) var vote: UInt64 = 0

    init() {}

    init(_ initial: Raft.InitialState) {
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

    mutating func apply(_ work: LogWork) {
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

    var text: String { "term \(term), vote \(vote), entries \(offset) to \(lastIndex)" }
}
