package import Basics

/// The running count of one probe of one container: input are times and results, output is when
/// to run next and what it means. Pure.
package struct ProbeState: Sendable, Hashable {
    package let probe: Probe
    /// When the probe runs next; meaningless while one is in flight.
    package private(set) var due: MonotonicTime
    package private(set) var isInFlight = false
    private var successes: Int64 = 0
    private var failures: Int64 = 0
    /// Nil until one of the thresholds was reached.
    package private(set) var verdict: Bool?

    package init(_ probe: Probe, startedAt: MonotonicTime) {
        self.probe = probe
        due = startedAt.advanced(milliseconds: UInt64(max(0, probe.initialDelaySeconds)) * 1000)
    }

    /// Whether the probe is to be run now; if so it counts as begun.
    package mutating func begin(now: MonotonicTime) -> Bool {
        guard !isInFlight, now >= due else { return false }
        isInFlight = true
        due = now.advanced(milliseconds: UInt64(probe.periodSeconds) * 1000)
        return true
    }

    /// Counts a result; answers whether the verdict is new or, for a failure, renewed.
    package mutating func finish(succeeded: Bool, now: MonotonicTime) -> Bool {
        isInFlight = false
        if due < now { due = now }
        if succeeded {
            failures = 0
            successes += 1
            guard successes >= probe.successThreshold, verdict != true else { return false }
            verdict = true
            return true
        }
        successes = 0
        failures += 1
        guard failures >= probe.failureThreshold else { return false }
        // A liveness failure counts from zero after it made a restart.
        let isNew = verdict != false
        verdict = false
        return isNew
    }

    /// Takes up a readiness that an earlier agent found.
    package mutating func assume() {
        verdict = true
    }

    /// Makes the next run happen at once, as upstream does for readiness after the startup.
    package mutating func hasten(now: MonotonicTime) {
        if due > now { due = now }
    }
}
