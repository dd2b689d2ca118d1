/// A replica whose log was damaged, until it has again all that it ever acknowledged.
extension Raft {
    /// Whether a log that ends like this holds all that ours might have committed, what damage cost
    /// it included.
    func isUpToDate(lastIndex index: UInt64, lastTerm term: UInt64) -> Bool {
        switch lost {
        case nil: break
        case .unknown: return false
        case .upTo(let lostTerm, let lostIndex):
            guard (term, index) >= (lostTerm, lostIndex) else { return false }
        }
        return log.isUpToDate(lastIndex: index, lastTerm: term)
    }

    /// Everything that this replica ever acknowledged and that may be committed is durable here
    /// again: an entry that was proposed after the damage was found, by any leader, stands behind
    /// all of it.
    package mutating func lostTailRecovered() {
        lost = nil
    }

    /// A leader of whose entries some are lost here does not know that: it believes what we
    /// acknowledged. Asks it to forget that, and to go on behind our commit index. The rejection of
    /// entry 0, which all logs agree before, says so.
    mutating func askAgain(_ leader: UInt64) {
        send(
            .appendRejected(
                index: 0, hintIndex: log.commit, hintTerm: log.term(log.commit) ?? 0),
            to: leader)
    }
}
