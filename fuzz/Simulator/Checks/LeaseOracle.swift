/// When leases end: never early, and late only within a bound.
///
/// Times are the world's, in microseconds. A client's grant or renewal counts from when it was
/// asked for, because the leader started the time at some moment after that.
package struct LeaseOracle: Sendable {
    private struct Lease: Sendable {
        var id: Int64
        var microseconds: UInt64
        /// Not before this.
        var earliest: UInt64
        /// When the time was last started anew, as far as anybody knows.
        var renewed: UInt64
        var isRevokedByClient = false
        var end: UInt64?
    }

    private var leases: [Lease] = []
    /// Clocks run fast by this much at most, in thousandths.
    private let driftPerMille: UInt64
    /// How much clocks jumped ahead so far, all together.
    private var jumped: UInt64 = 0

    package init(driftPerMille: UInt64) {
        self.driftPerMille = driftPerMille
    }

    package mutating func clockJumped(by microseconds: UInt64) { jumped += microseconds }

    /// A client knows that it has the lease since a call made at `called`.
    package mutating func granted(_ id: Int64, seconds: Int64, called: UInt64, now: UInt64) {
        let microseconds = UInt64(seconds) * 1_000_000
        var lease = Lease(id: id, microseconds: microseconds, earliest: 0, renewed: now)
        lease.earliest = called + shortest(microseconds)
        leases.removeAll { $0.id == id }
        leases.append(lease)
    }

    /// A keep-alive was answered with success.
    package mutating func renewed(_ id: Int64, called: UInt64, now: UInt64) throws(Violation) {
        guard let slot = leases.firstIndex(where: { $0.id == id }) else { return }
        if let end = leases[slot].end {
            guard end < called else { return }
            throw .correctness(
                "lease \(id) was kept alive by a call \((called - end) / 1000) ms after its end")
        }
        leases[slot].earliest = max(
            leases[slot].earliest, called + shortest(leases[slot].microseconds))
        leases[slot].renewed = max(leases[slot].renewed, now)
    }

    /// What was promised must be known to whoever ends leases from now on.
    ///
    /// - Parameter known: by the leader, in whole seconds, the last one begun.
    package func check(_ id: Int64, known: Int64, now: UInt64) throws(Violation) {
        guard let lease = leases.first(where: { $0.id == id }), !lease.isRevokedByClient,
            lease.end == nil
        else { return }
        let known = now + jumped + UInt64(max(0, known)) * 1_000_000
        guard known < lease.earliest else { return }
        throw .correctness(
            "lease \(id) was promised for \((lease.earliest - known) / 1000) ms longer than the "
                + "leader knows")
    }

    /// A keep-alive was not answered in time, and may reach the leader as late as `latest`.
    package mutating func mayBeRenewed(_ id: Int64, latest: UInt64) {
        guard let slot = leases.firstIndex(where: { $0.id == id }) else { return }
        leases[slot].renewed = max(leases[slot].renewed, latest)
    }

    /// A client may have revoked it.
    package mutating func revoking(_ id: Int64) {
        guard let slot = leases.firstIndex(where: { $0.id == id }) else { return }
        leases[slot].isRevokedByClient = true
    }

    /// The end of a lease was written into a log for the first time.
    package mutating func ended(_ id: Int64, now: UInt64) throws(Violation) {
        guard let slot = leases.firstIndex(where: { $0.id == id }), leases[slot].end == nil else {
            return
        }
        leases[slot].end = now
        guard !leases[slot].isRevokedByClient, now + jumped < leases[slot].earliest else { return }
        throw .correctness(
            "lease \(id) ended \((leases[slot].earliest - now) / 1000) ms early")
    }

    /// Leases whose time was over at `now` by more than `slack` and that still stand.
    ///
    /// - Parameter since: when the leader took over; it may have begun with the whole time.
    package func overdue(
        now: UInt64, since: UInt64, slack: UInt64, standing: [Int64]
    ) -> [Int64] {
        leases.filter { lease in
            let longest = lease.microseconds * 1000 / (1000 - min(driftPerMille, 900))
            return standing.contains(lease.id)
                && now > max(lease.renewed, since) + longest + slack
        }.map(\.id)
    }

    /// With a leader and without faults, leases are late by no more than it takes a new leader to
    /// begin, and a revoke to commit.
    package func checkEnds(
        now: UInt64, since: UInt64, electionMilliseconds: UInt64, standing: [Int64]
    ) throws(Violation) {
        let begin = electionMilliseconds * 2_000 * 1000 / (1000 - driftPerMille)
        let late = overdue(now: now, since: since, slack: begin + 3_000_000, standing: standing)
        guard let first = late.first else { return }
        throw .correctness("lease \(first) stands though its time is over")
    }

    /// A time to live on the fastest clock.
    private func shortest(_ microseconds: UInt64) -> UInt64 {
        microseconds * 1000 / (1000 + driftPerMille)
    }
}
