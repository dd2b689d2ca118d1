/// Lets so much happen at once, and so much a second; an instance, told the time.
package struct TokenBucket: Sendable {
    private let burst: UInt64
    private let perSecond: UInt64
    /// In billionths, so that no fraction of a token is lost between two calls.
    private var level: UInt64
    private var last: MonotonicTime

    package init(burst: UInt64, perSecond: UInt64, now: MonotonicTime) {
        // So that what `take` computes fits 64 bits.
        precondition(burst <= 1_000_000_000 && perSecond <= 10_000_000)
        self.burst = burst
        self.perSecond = perSecond
        level = burst * 1_000_000_000
        last = now
    }

    /// False if there are not so many; then none are taken.
    package mutating func take(_ count: UInt64, now: MonotonicTime) -> Bool {
        if now > last {
            let elapsed = min(now.nanoseconds - last.nanoseconds, 1_000_000_000_000)
            level = min(burst * 1_000_000_000, level + elapsed * perSecond)
            last = now
        }
        guard level >= count * 1_000_000_000 else { return false }
        level -= count * 1_000_000_000
        return true
    }
}
