package import Basics
import Keyspace

/// What was sent to the leader and is not answered yet.
package struct AskedRequests {
    package enum What {
        case write(PendingWrite)
        case question(PendingQuestion)
    }

    private struct Asked {
        var leader: UInt64
        var what: What
        /// Set once another leader is known.
        var orphanedUntil: MonotonicTime?
    }

    private var nextNumber: UInt64
    private var asked: [UInt64: Asked] = [:]

    /// - Parameter start: When this process began. Numbers rise from there, because the leader may
    ///   have questions of an earlier process of this replica still before it, and answers them
    ///   to this one: those numbers must not be ours.
    package init(start: MonotonicTime) {
        nextNumber = start.nanoseconds
    }

    package mutating func add(_ what: What, to leader: UInt64) -> UInt64 {
        defer { nextNumber += 1 }
        asked[nextNumber] = Asked(leader: leader, what: what)
        return nextNumber
    }

    /// Whom it was sent to, and what; nil if nobody waits for the answer any more.
    package mutating func take(_ number: UInt64) -> (leader: UInt64, what: What)? {
        asked.removeValue(forKey: number).map { ($0.leader, $0.what) }
    }

    /// That member will not answer. Whether it did what was asked is unknown: writes fail,
    /// questions that do no harm twice are asked again.
    mutating func fail(to leader: UInt64, held: inout [PendingQuestion]) {
        for number in asked.filter({ $0.value.leader == leader }).keys.sorted() {
            switch asked.removeValue(forKey: number)?.what {
            case .question(let question) where question.question.isRepeatable:
                held.append(question)
            case let what: what?.fail(.leaderChanged)
            }
        }
    }

    /// There is another leader. The old one says what became of what it was asked, if it still can:
    /// it is given a moment. Questions that do no harm twice are asked again at once.
    mutating func orphan(
        exceptTo leader: UInt64, until end: MonotonicTime, held: inout [PendingQuestion]
    ) {
        for number in asked.filter({ $0.value.leader != leader }).keys.sorted() {
            if case .question(let question) = asked[number]?.what, question.question.isRepeatable {
                asked[number] = nil
                held.append(question)
            } else if asked[number]?.orphanedUntil == nil {
                asked[number]?.orphanedUntil = end
            }
        }
    }

    mutating func expire(_ now: MonotonicTime) {
        let late = asked.filter { ($0.value.orphanedUntil ?? $0.value.what.deadline) <= now }
        for number in late.keys.sorted() {
            guard let asked = asked.removeValue(forKey: number) else { continue }
            asked.what.fail(asked.orphanedUntil == nil ? .timeout : .leaderChanged)
        }
    }

    mutating func failAll(_ error: StoreError) {
        for number in asked.keys.sorted() {
            asked.removeValue(forKey: number)?.what.fail(error)
        }
    }
}

extension AskedRequests.What {
    var deadline: MonotonicTime {
        switch self {
        case .write(let write): write.deadline
        case .question(let question): question.deadline
        }
    }

    func fail(_ error: StoreError) {
        switch self {
        case .write(let write): write.done(.failure(error))
        case .question(let question): question.done(.failure(error))
        }
    }
}
