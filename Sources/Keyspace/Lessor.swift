package import Basics

/// Decides when leases end. A pure instance of the leader: time is an argument, and what it
/// says goes through the log as `leaseRevoke` before anything is deleted.
package struct Lessor: Sendable {
    /// `ttlSecondsMin` lifts shorter grants, so that a lease outlives an election.
    package init(ttlSecondsMin: Int64 = 1) {}

    /// The time to live that a grant of `seconds` gets; nil when it is over etcd's limit.
    package func grantable(_ seconds: Int64) -> Int64? { fatalError() }
    /// Becoming leader: every lease gets its remaining time again, from `now` on, plus `extend`
    /// for keep-alives that got lost in the election.
    package mutating func promote(
        _ leases: [LeaseStatus], now: MonotonicTime, extendMilliseconds: UInt64
    ) { fatalError() }
    /// No longer leader: knows of no lease.
    package mutating func demote() { fatalError() }
    /// A grant was applied.
    package mutating func granted(id: Int64, ttlSeconds: Int64, now: MonotonicTime) {
        fatalError()
    }
    /// A revoke was applied.
    package mutating func revoked(id: Int64) { fatalError() }
    /// Starts the time anew and says how long it is; nil when the lease is gone or has expired.
    package mutating func keepAlive(id: Int64, now: MonotonicTime) -> Int64? { fatalError() }
    /// Whole seconds left, 0 when it has expired; nil when there is no such lease.
    package func remainingSeconds(id: Int64, now: MonotonicTime) -> Int64? { fatalError() }
    /// Leases to revoke, `limit` at most. Each is told again a second later until it is revoked.
    package mutating func expired(now: MonotonicTime, limit: Int = 500) -> [Int64] {
        fatalError()
    }
    /// When to ask `expired` next; nil when there is no lease.
    package var nextExpiry: MonotonicTime? { fatalError() }
    /// Long leases whose remaining time the followers should learn of, at most every 5 minutes
    /// for each.
    package mutating func checkpoints(now: MonotonicTime) -> [LeaseRemaining] { fatalError() }
}
