import Basics

/// Ids for leases whose client leaves the choice to us: positive, and unlikely to be taken.
final class LeaseIDs: Sendable {
    private let random: Locked<SeededRandom>

    init(seed: UInt64) {
        random = Locked(SeededRandom(seed: seed))
    }

    func next() -> Int64 {
        random.withLock { random in
            Int64(truncatingIfNeeded: random.next() >> 1) | 1
        }
    }
}
