import Basics
import Keyspace

/// What was sent to the leader and is not answered yet.
struct AskedRequests {
    enum What {
        case write(PendingWrite)
        case question(PendingQuestion)
    }

    private struct Asked {
        var leader: UInt64
        var what: What
    }

    private var nextNumber: UInt64 = 1
    private var asked: [UInt64: Asked] = [:]

    mutating func add(_ what: What, to leader: UInt64) -> UInt64 {
        defer { nextNumber += 1 }
        asked[nextNumber] = Asked(leader: leader, what: what)
        return nextNumber
    }

    /// nil if nobody waits for the answer any more.
    mutating func take(_ number: UInt64) -> What? {
        asked.removeValue(forKey: number)?.what
    }

    /// That member will not answer. Whether it did what was asked is unknown: writes fail,
    /// questions that do no harm twice are asked again.
    mutating func fail(to leader: UInt64, held: inout [PendingQuestion]) {
        fail(&held) { $0 == leader }
    }

    mutating func failExcept(to leader: UInt64, held: inout [PendingQuestion]) {
        fail(&held) { $0 != leader }
    }

    private mutating func fail(_ held: inout [PendingQuestion], _ isLost: (UInt64) -> Bool) {
        guard !asked.isEmpty else { return }
        let lost = asked.filter { isLost($0.value.leader) }.keys.sorted()
        for number in lost {
            switch asked.removeValue(forKey: number)?.what {
            case .write(let write): write.done(.failure(.leaderChanged))
            case .question(let question):
                if question.question.isRepeatable {
                    held.append(question)
                } else {
                    question.done(.failure(.leaderChanged))
                }
            case nil: break
            }
        }
    }

    mutating func expire(_ now: MonotonicTime, _ error: StoreError) {
        let late = asked.filter { $0.value.what.deadline <= now }.keys.sorted()
        for number in late { asked.removeValue(forKey: number)?.what.fail(error) }
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
