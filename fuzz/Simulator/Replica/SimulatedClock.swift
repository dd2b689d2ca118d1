import Basics

/// A replica's monotonic clock: runs fast or slow, and may jump ahead, but never goes back.
struct SimulatedClock: Sendable {
    /// Its nanoseconds in a millisecond of the world.
    private let rate: UInt64
    private var offset: UInt64 = 1_000_000_000

    /// - Parameter perMille: 1000 for a clock that runs right.
    init(perMille: UInt64) {
        rate = perMille * 1_000
    }

    /// World times are microseconds.
    func time(at world: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: offset + world * rate / 1_000)
    }

    /// When the clock shows at least `time`; 0 if it always did.
    func world(of time: MonotonicTime) -> UInt64 {
        guard time.nanoseconds > offset else { return 0 }
        return ((time.nanoseconds - offset) * 1_000 + rate - 1) / rate
    }

    mutating func jump(milliseconds: UInt64) {
        offset += milliseconds * 1_000_000
    }
}
