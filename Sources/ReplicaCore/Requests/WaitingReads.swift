package import Basics
import Keyspace

/// Linearizable reads, in batches: one question to Raft for all that came in one round.
package struct WaitingReads {
    private var nextToken: UInt64
    private var asked: [UInt64: [PendingRead]] = [:]
    /// Confirmed, waiting for an index to be applied.
    private var confirmed: [(index: UInt64, reads: [PendingRead])] = []
    /// Without an answer; asked again with the next tick, or when there is a leader.
    private var unanswered: [PendingRead] = []

    /// - Parameter start: When this process began. Tokens rise from there: an index that the leader
    ///   gave to an earlier process of this replica is too old for our reads (`AskedRequests`).
    package init(start: MonotonicTime) {
        nextToken = start.nanoseconds
    }

    /// The token to ask Raft with.
    package mutating func ask(_ reads: [PendingRead]) -> UInt64 {
        defer { nextToken += 1 }
        asked[nextToken] = reads
        return nextToken
    }

    package mutating func confirmed(_ token: UInt64, index: UInt64) {
        guard let reads = asked.removeValue(forKey: token) else { return }
        confirmed.append((index, reads))
    }

    mutating func abandoned(_ token: UInt64) {
        unanswered += asked.removeValue(forKey: token) ?? []
    }

    /// Answers how many there are.
    mutating func retry(into reads: inout [PendingRead]) -> Int {
        defer { unanswered = [] }
        reads += unanswered
        return unanswered.count
    }

    package mutating func takeReady(applied: UInt64) -> [PendingRead] {
        guard !confirmed.isEmpty else { return [] }
        var ready: [PendingRead] = []
        let applied = Mutant.isOn(.readsBeforeApplied) ? UInt64.max : applied
        for batch in confirmed where batch.index <= applied { ready += batch.reads }
        confirmed.removeAll { $0.index <= applied }
        return ready
    }

    /// Answers how many there were.
    mutating func expire(_ now: MonotonicTime, _ error: StoreError) -> Int {
        var late = unanswered.filter { $0.deadline <= now }
        unanswered.removeAll { $0.deadline <= now }
        for token in asked.keys.sorted() {
            guard let reads = asked[token], reads.contains(where: { $0.deadline <= now }) else {
                continue
            }
            late += reads.filter { $0.deadline <= now }
            let rest = reads.filter { $0.deadline > now }
            asked[token] = rest.isEmpty ? nil : rest
        }
        for position in confirmed.indices {
            late += confirmed[position].reads.filter { $0.deadline <= now }
            confirmed[position].reads.removeAll { $0.deadline <= now }
        }
        for read in late { read.done(.failure(error)) }
        return late.count
    }

    mutating func failAll(_ error: StoreError) {
        for token in asked.keys.sorted() { unanswered += asked[token] ?? [] }
        for batch in confirmed { unanswered += batch.reads }
        asked = [:]
        confirmed = []
        for read in unanswered { read.done(.failure(error)) }
        unanswered = []
    }
}
