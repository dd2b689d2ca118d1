import Basics

/// A log that peers cannot fill: so many lines at once and a second, and then a count of the rest.
final class ThrottledLog: Sendable {
    private struct State {
        var bucket: TokenBucket
        var dropped = 0
    }

    private let log: @Sendable (String) -> Void
    private let state: Locked<State>

    init(_ log: @escaping @Sendable (String) -> Void) {
        self.log = log
        state = Locked(
            State(
                bucket: TokenBucket(
                    burst: HTTPLimits.logLinesBurst, perSecond: HTTPLimits.logLinesPerSecond,
                    now: .now())))
    }

    func line(_ text: String) {
        let dropped = state.withLock { state -> Int? in
            guard state.bucket.take(1, now: .now()) else {
                state.dropped += 1
                return nil
            }
            defer { state.dropped = 0 }
            return state.dropped
        }
        guard let dropped else { return }
        log(dropped == 0 ? text : "\(text) (and \(dropped) such lines before)")
    }
}
