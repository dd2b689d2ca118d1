package import Basics

/// When a child that died is started again: at once, unless it dies over and over, and never
/// after one of the final exit codes.
package struct RestartPolicy: Sendable {
    /// A child may die this often within the window before it is held back.
    package static let freeDeaths = 5
    package static let windowMilliseconds: UInt64 = 30_000
    package static let firstDelayMilliseconds: UInt64 = 200
    package static let delayMillisecondsMax: UInt64 = 10_000

    package enum Decision: Equatable {
        case restart(afterMilliseconds: UInt64)
        case leaveDead(FatalExit)
    }

    private var deaths: [MonotonicTime] = []
    private var heldBack = 0

    package init() {}

    package mutating func died(exitCode: Int32?, now: MonotonicTime) -> Decision {
        if let code = exitCode, let final = FatalExit(rawValue: code) { return .leaveDead(final) }
        deaths.append(now)
        deaths.removeAll { now.milliseconds(since: $0) > Self.windowMilliseconds }
        guard deaths.count > Self.freeDeaths else {
            heldBack = 0
            return .restart(afterMilliseconds: Self.firstDelayMilliseconds)
        }
        heldBack = min(heldBack + 1, 8)
        let delay = Self.firstDelayMilliseconds << UInt64(heldBack)
        return .restart(afterMilliseconds: min(delay, Self.delayMillisecondsMax))
    }
}
