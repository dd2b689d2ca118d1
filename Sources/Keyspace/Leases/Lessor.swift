package import Basics

/// Decides when leases end. A pure instance of the leader: time is an argument, and what it
/// says goes through the log as `leaseRevoke` before anything is deleted.
package struct Lessor: Sendable {
    private struct Lease {
        var ttlSeconds: Int64
        var expiry: MonotonicTime
        /// When `expired` looks at it next: the one of its alarms that is not stale.
        var alarm: MonotonicTime
        /// When the followers should learn of the remaining time; nil if little is left.
        var checkpoint: MonotonicTime?
        /// Whether the replicated remaining time is less than the whole, or may come to be.
        var isCheckpointed: Bool
        /// The followers are about to be told that the time started anew.
        var isBeingRenewed = false
    }

    package enum Renewal: Sendable, Hashable {
        /// The lease is gone or has expired.
        case none
        case done(ttlSeconds: Int64)
        /// Not to be answered before the followers know, whose remaining time is shorter: see
        /// `checkpoints`.
        case pending
    }

    /// A point in time at which a lease has to be looked at. Stale ones are skipped.
    private struct Alarm: Comparable {
        var time: MonotonicTime
        var id: Int64
        static func < (left: Alarm, right: Alarm) -> Bool {
            (left.time, left.id) < (right.time, right.id)
        }
    }

    /// Longest and shortest time between checkpoints of a lease. etcd's, where they are on, come
    /// every 300 s.
    private static let checkpointSecondsMax: Int64 = 300
    private static let checkpointSecondsMin: Int64 = 5

    private let ttlSecondsMin: Int64
    private var leases: [Int64: Lease] = [:]
    private var expiries = Heap<Alarm>()
    private var checkpointAlarms = Heap<Alarm>()
    private var renewed: [Int64] = []

    /// `ttlSecondsMin` lifts shorter grants, so that a lease outlives an election.
    package init(ttlSecondsMin: Int64 = 1) {
        self.ttlSecondsMin = max(1, ttlSecondsMin)
    }

    /// The time to live that a grant of `seconds` gets; nil when it is over etcd's limit.
    package func grantable(_ seconds: Int64) -> Int64? {
        seconds > LeaseEntry.ttlSecondsMax ? nil : max(seconds, ttlSecondsMin)
    }

    /// Becoming leader: every lease gets its remaining time again, from `now` on, plus
    /// `extendMilliseconds` for keep-alives that got lost in the election.
    package mutating func promote(
        _ leases: [LeaseStatus], now: MonotonicTime, extendMilliseconds: UInt64
    ) {
        demote()
        for lease in leases {
            let isCheckpointed = lease.remainingTTLSeconds < lease.grantedTTLSeconds
            set(
                lease.id, ttlSeconds: lease.grantedTTLSeconds, isCheckpointed: isCheckpointed,
                expiry: now.advanced(
                    seconds: Mutant.isOn(.leaseForgetsTime) ? 0 : lease.remainingTTLSeconds
                )
                .advanced(milliseconds: extendMilliseconds), now: now)
        }
    }

    /// No longer leader: knows of no lease.
    package mutating func demote() {
        leases = [:]
        expiries = Heap()
        checkpointAlarms = Heap()
        renewed = []
    }

    /// A grant was applied.
    package mutating func granted(id: Int64, ttlSeconds: Int64, now: MonotonicTime) {
        set(
            id, ttlSeconds: ttlSeconds, isCheckpointed: false,
            expiry: now.advanced(seconds: ttlSeconds), now: now)
    }

    /// A revoke was applied.
    package mutating func revoked(id: Int64) {
        leases[id] = nil
        tidy()
    }

    /// Starts the time anew.
    package mutating func keepAlive(id: Int64, now: MonotonicTime) -> Renewal {
        guard let lease = leases[id], now < lease.expiry else { return .none }
        if Mutant.isOn(.keepAliveForgotten) { return .done(ttlSeconds: lease.ttlSeconds) }
        set(
            id, ttlSeconds: lease.ttlSeconds, isCheckpointed: lease.isCheckpointed,
            expiry: now.advanced(seconds: lease.ttlSeconds), now: now)
        tidy()
        guard lease.isCheckpointed else { return .done(ttlSeconds: lease.ttlSeconds) }
        leases[id]?.isBeingRenewed = true
        if !lease.isBeingRenewed { renewed.append(id) }
        return .pending
    }

    /// Whether followers have to be told of renewals.
    package var hasRenewals: Bool { !renewed.isEmpty }

    /// What was told of a lease is applied. Returns its whole time if that is what is known now.
    package mutating func checkpointed(_ told: LeaseRemaining) -> Int64? {
        guard var lease = leases[told.id], told.remainingSeconds >= lease.ttlSeconds else {
            return nil
        }
        // Else less has been told since.
        if lease.isBeingRenewed {
            lease.isBeingRenewed = false
            lease.isCheckpointed = false
            leases[told.id] = lease
        }
        return lease.ttlSeconds
    }

    /// What was to be told was not taken: renewals are told again, and the rest with the next
    /// checkpoint.
    package mutating func notTold(_ checkpoints: [LeaseRemaining]) {
        renewed += checkpoints.map(\.id).filter { leases[$0]?.isBeingRenewed == true }
    }

    /// Whole seconds left, 0 when it has expired; nil when there is no such lease.
    package func remainingSeconds(id: Int64, now: MonotonicTime) -> Int64? {
        leases[id].map { lease in
            Int64((lease.expiry.milliseconds(since: now) + 999) / 1000)
        }
    }

    /// Leases to revoke, `limit` at most, the longest expired first. Each is told again a second
    /// later until it is revoked.
    package mutating func expired(now: MonotonicTime, limit: Int = 4000) -> [Int64] {
        var ids: [Int64] = []
        while ids.count < limit, let alarm = expiries.first, alarm.time <= now {
            expiries.removeFirst()
            guard leases[alarm.id]?.alarm == alarm.time else { continue }
            ids.append(alarm.id)
            let again = now.advanced(seconds: 1)
            leases[alarm.id]?.alarm = again
            expiries.insert(Alarm(time: again, id: alarm.id))
        }
        return ids
    }

    /// What was to end was not taken: `expired` tells of it when it is asked next.
    package mutating func notEnded(_ ids: [Int64], now: MonotonicTime) {
        for id in ids where leases[id] != nil {
            leases[id]?.alarm = now
            expiries.insert(Alarm(time: now, id: id))
        }
    }

    /// When to ask `expired` next, perhaps too early; nil when there is no lease.
    package var nextExpiry: MonotonicTime? { expiries.first?.time }

    /// The first checkpoint comes when half of the time is gone, so that a lease that is kept alive
    /// needs none; from then on one with each eighth. After a failover a lease ends late by an
    /// eighth of its time, or by half if it was granted or kept alive shortly before.
    private static func firstCheckpoint(_ remaining: Int64) -> Int64? {
        remaining > 2 * checkpointSecondsMin
            ? min(checkpointSecondsMax, remaining / 2) : nil
    }

    private static func nextCheckpoint(_ ttl: Int64, _ remaining: Int64) -> Int64? {
        let interval = max(checkpointSecondsMin, min(checkpointSecondsMax, ttl / 8))
        return remaining > interval ? interval : nil
    }

    /// Leases whose remaining time the followers should learn of, so that it survives a failover:
    /// those that were not kept alive, and those whose time started anew after the followers had
    /// learnt of less.
    package mutating func checkpoints(now: MonotonicTime) -> [LeaseRemaining] {
        var due: [LeaseRemaining] = []
        for id in renewed {
            guard let lease = leases[id], lease.isBeingRenewed else { continue }
            due.append(LeaseRemaining(id: id, remainingSeconds: lease.ttlSeconds))
        }
        renewed = []
        while let alarm = checkpointAlarms.first, alarm.time <= now {
            checkpointAlarms.removeFirst()
            guard var lease = leases[alarm.id], lease.checkpoint == alarm.time,
                let remaining = remainingSeconds(id: alarm.id, now: now), remaining > 0
            else { continue }
            due.append(LeaseRemaining(id: alarm.id, remainingSeconds: remaining))
            lease.isCheckpointed = true
            lease.isBeingRenewed = false
            lease.checkpoint = nil
            if let seconds = Self.nextCheckpoint(lease.ttlSeconds, remaining) {
                let next = now.advanced(seconds: seconds)
                lease.checkpoint = next
                checkpointAlarms.insert(Alarm(time: next, id: alarm.id))
            }
            leases[alarm.id] = lease
        }
        return due
    }

    private mutating func set(
        _ id: Int64, ttlSeconds: Int64, isCheckpointed: Bool, expiry: MonotonicTime,
        now: MonotonicTime
    ) {
        var lease = Lease(
            ttlSeconds: ttlSeconds, expiry: expiry, alarm: expiry, checkpoint: nil,
            isCheckpointed: isCheckpointed)
        let remaining = Int64(expiry.milliseconds(since: now) / 1000)
        if let seconds = Self.firstCheckpoint(remaining) {
            let checkpoint = now.advanced(seconds: seconds)
            lease.checkpoint = checkpoint
            checkpointAlarms.insert(Alarm(time: checkpoint, id: id))
        }
        leases[id] = lease
        expiries.insert(Alarm(time: expiry, id: id))
    }

    /// Drops stale alarms when they are most of a heap. The order in which live ones are put
    /// back does not show.
    private mutating func tidy() {
        if expiries.count > 64, expiries.count > 4 * leases.count {
            let leases = self.leases
            expiries.keep { leases[$0.id]?.alarm == $0.time }
        }
        if checkpointAlarms.count > 64, checkpointAlarms.count > 4 * leases.count {
            let leases = self.leases
            checkpointAlarms.keep { leases[$0.id]?.checkpoint == $0.time }
        }
    }
}

extension MonotonicTime {
    fileprivate func advanced(seconds: Int64) -> MonotonicTime {
        advanced(milliseconds: UInt64(max(0, seconds)) * 1000)
    }
}
