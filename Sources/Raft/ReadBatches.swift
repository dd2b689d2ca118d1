import Basics

/// Reads at the leader that wait until a quorum confirms that it still is the leader.
///
/// One heartbeat round confirms a batch and every batch before it: an answer to round n was given
/// after all reads up to batch n had come in.
struct ReadBatches: Sendable {
    struct Request: Sendable {
        /// The member whose shell waits.
        var from: UInt64
        var tokens: [UInt64]
    }

    struct Batch: Sendable {
        var number: UInt64
        /// Commit index when the batch was closed.
        var index: UInt64
        /// By the leader's clock.
        var begun: UInt64
        var requests: [Request]
        /// Members that answered, this leader not among them.
        var confirmedBy: [UInt64] = []
    }

    /// Rounds under way at a time; reads that come meanwhile gather for the next.
    static let roundsMax = 4

    /// Not yet in a round.
    private(set) var waiting: [Request] = []
    private(set) var batches: [Batch] = []
    private(set) var lastNumber: UInt64 = 0

    /// What a heartbeat asks members to confirm; 0 for nothing.
    var newestNumber: UInt64 { batches.last?.number ?? 0 }
    var hasWaiting: Bool { !waiting.isEmpty }
    var canStartRound: Bool { batches.count < Self.roundsMax }

    mutating func add(_ request: Request) {
        if let last = waiting.indices.last, waiting[last].from == request.from {
            waiting[last].tokens += request.tokens
        } else {
            waiting.append(request)
        }
    }

    mutating func startRound(commit: UInt64, at begun: UInt64) {
        lastNumber += 1
        batches.append(
            Batch(number: lastNumber, index: commit, begun: begun, requests: takeWaiting()))
    }

    mutating func takeWaiting() -> [Request] {
        defer { waiting = [] }
        return waiting
    }

    mutating func confirm(_ number: UInt64, by member: UInt64) {
        for position in batches.indices
        where batches[position].number <= number
            && !batches[position].confirmedBy.contains(member)
        {
            batches[position].confirmedBy.append(member)
        }
    }

    /// Takes the batches that the leader and those who confirmed are a quorum for.
    mutating func takeConfirmed(by leader: UInt64, in membership: Membership) -> [Batch] {
        let count = batches.prefix { batch in
            membership.isQuorum { $0 == leader || batch.confirmedBy.contains($0) }
                || Mutant.isOn(.readsWithoutQuorum)
        }.count
        defer { batches.removeFirst(count) }
        return Array(batches.prefix(count))
    }

    /// Tokens of everything that waits for `member`'s own shell.
    func tokens(of member: UInt64) -> [UInt64] {
        (batches.flatMap(\.requests) + waiting).filter { $0.from == member }.flatMap(\.tokens)
    }
}
