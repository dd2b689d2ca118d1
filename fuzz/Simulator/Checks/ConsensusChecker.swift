import Basics
package import Keyspace
package import Raft

/// Watches all replicas for what Raft promises.
///
/// It keeps the one true log: the first replica that applies an entry writes it down, all others
/// have to agree. Beside it a dumb keyspace applies the same commands and gives the answers and
/// the state that every replica must have.
package struct ConsensusChecker {
    private struct Written: Hashable {
        var index: UInt64
        var term: UInt64
    }

    /// Whether an entry was seen before, and what it was: its hash and the term before it.
    private var written: [Written: (hash: UInt64, previousTerm: UInt64)] = [:]
    private var leaders: [UInt64: UInt64] = [:]
    private var votes: [Written: UInt64] = [:]
    /// Entry i has index i + 1.
    private(set) var committed: [(term: UInt64, hash: UInt64, committedIn: UInt64)] = []
    private var results: [UInt64] = []
    private var digests: [UInt64] = []
    private var reference = ModelKeyspace()

    package init() {
        digests = [reference.digest]
    }

    package var committedIndex: UInt64 { UInt64(committed.count) }

    /// Whether an accepted proposal became part of the log; nil while that is open.
    package func outcome(index: UInt64, term: UInt64) -> Bool? {
        guard index <= committedIndex else { return nil }
        return committed[Int(index) - 1].term == term
    }

    // MARK: Election safety, leader completeness

    package mutating func elected(_ raft: Raft) throws(Violation) {
        if let other = leaders[raft.term], other != raft.id {
            throw .correctness(
                "election safety: \(other) and \(raft.id) both lead term \(raft.term)")
        }
        leaders[raft.term] = raft.id
        for index in stride(from: committedIndex, through: raft.firstIndex, by: -1) {
            let (term, _, committedIn) = committed[Int(index) - 1]
            // An old leader may learn of its election when a newer one has committed already.
            guard committedIn >= raft.term || raft.term(at: index) == term else {
                throw .correctness(
                    "leader completeness: \(raft.id) leads term \(raft.term) and lacks committed "
                        + "entry \(term)/\(index)")
            }
        }
    }

    /// A granted vote leaves the replica.
    package mutating func voted(_ message: Message) throws(Violation) {
        let key = Written(index: message.from, term: message.term)
        if let other = votes[key], other != message.to {
            throw .correctness(
                "\(message.from) voted for \(other) and \(message.to) in term \(message.term)")
        }
        votes[key] = message.to
    }

    // MARK: Log matching

    /// A replica writes entries. An entry of the same index and term is the same entry everywhere
    /// and has the same predecessor, from which log matching follows by induction.
    package mutating func wrote(_ entries: [Entry], after previousTerm: UInt64) throws(Violation) {
        var previousTerm = previousTerm
        for entry in entries {
            let key = Written(index: entry.index, term: entry.term)
            let hash = Self.hash(entry)
            if let known = written[key] {
                guard known == (hash, previousTerm) else {
                    throw .correctness(
                        "log matching: two entries \(entry.term)/\(entry.index), one after term "
                            + "\(known.previousTerm), one after term \(previousTerm)")
                }
            } else {
                written[key] = (hash, previousTerm)
            }
            previousTerm = entry.term
        }
    }

    // MARK: State machine agreement

    /// A replica applied an entry and its state machine answered.
    package mutating func applied(
        _ entry: Entry, command: Command, result: CommandResult, by raft: Raft
    ) throws(Violation) {
        let replica = raft.id
        let position = Int(entry.index) - 1
        let hash = Self.hash(entry)
        if position == committed.count {
            // Committed by a leader of this term or an earlier one.
            committed.append((entry.term, hash, raft.term))
            let answer = reference.apply(command)
            results.append(ResultDigest.of(answer))
            digests.append(reference.digest)
        }
        guard position < committed.count else {
            throw .correctness("\(replica) applied entry \(entry.index) before its predecessor")
        }
        guard committed[position].term == entry.term, committed[position].hash == hash else {
            throw .correctness(
                "state machine safety: \(replica) applied \(entry.term)/\(entry.index), another "
                    + "replica \(committed[position].term)/\(entry.index)")
        }
        guard results[position] == ResultDigest.of(result) else {
            throw .correctness(
                "\(replica) answered entry \(entry.index) (\(command)) differently from the "
                    + "reference: \(result)")
        }
    }

    /// A replica's whole state as of `index`.
    package func agrees(_ digest: UInt64, at index: UInt64, of replica: UInt64) throws(Violation) {
        guard index < UInt64(digests.count), digests[Int(index)] == digest else {
            throw .correctness("the state of \(replica) at entry \(index) is not the others'")
        }
    }

    private static func hash(_ entry: Entry) -> UInt64 {
        var hash = TraceHash()
        hash.add(UInt64(entry.kind.rawValue))
        hash.add(entry.payload)
        return hash.value
    }
}
