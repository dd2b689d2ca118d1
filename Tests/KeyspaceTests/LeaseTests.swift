import Basics
import Keyspace
import TestSupport
import Testing

@Suite struct LeaseTests {
    private func grant(_ fixture: Fixture, _ id: Int64, _ ttl: Int64) throws -> Result<
        LeaseStatus, StoreError
    > {
        guard case .lease(let result) = try fixture.apply(.leaseGrant(id: id, ttlSeconds: ttl))
        else { throw StoreError(.invalid, "another kind of result") }
        return result
    }

    @Test func keysHangOnALeaseUntilTheyAreMovedOrItEnds() throws {
        let fixture = try Fixture()
        #expect(try grant(fixture, 7, 10).get().grantedTTLSeconds == 10)
        #expect(try grant(fixture, 7, 10) == .failure(.leaseExists))
        #expect(try grant(fixture, 0, 10) == .failure(.leaseNotFound))
        #expect(try grant(fixture, 8, 9_000_000_001) == .failure(.leaseTTLTooLarge))
        _ = try grant(fixture, -3, 5)
        try fixture.put("a", "1", lease: 7)
        try fixture.put("b", "1", lease: 7)
        try fixture.put("c", "1", lease: 7)
        try fixture.put("b", "2", lease: -3)
        try fixture.put("c", "2")
        #expect(try fixture.keyspace.lease(7, keys: true).get().keys == [Bytes("a".utf8)])
        #expect(try fixture.keyspace.lease(-3, keys: true).get().keys == [Bytes("b".utf8)])
        #expect(try fixture.keyspace.leases().get().map(\.id) == [-3, 7])
        let listener = Listener(fixture.keyspace.watch(WatchRequest(.all)))
        listener.pull()
        guard case .revision(let revoked) = try fixture.apply(.leaseRevoke(id: 7)) else {
            Issue.record("another kind of result")
            return
        }
        #expect(try revoked.get() == 7)
        #expect(listener.text == "-a@7 |7")
        #expect(try fixture.text(.all) == ["b=2", "c=2"])
        guard case .revision(let again) = try fixture.apply(.leaseRevoke(id: 7)) else { return }
        #expect(again == .failure(.leaseNotFound))
    }

    @Test func checkpointsAreKeptOverAReopening() throws {
        let fixture = try Fixture()
        _ = try grant(fixture, 1, 1000)
        try fixture.apply(
            .leaseCheckpoint([
                LeaseRemaining(id: 1, remainingSeconds: 400),
                LeaseRemaining(id: 2, remainingSeconds: 9),
            ]))
        try fixture.reopen()
        #expect(
            try fixture.keyspace.leases().get() == [
                LeaseStatus(id: 1, grantedTTLSeconds: 1000, remainingTTLSeconds: 400)
            ])
    }
}

@Suite struct LessorTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(seconds * 1_000_000_000))
    }

    /// As where too much waits for the disks: the end is late by no more than it has to be.
    @Test func anEndThatIsNotTakenIsToldAgainAtOnce() {
        var lessor = Lessor()
        lessor.granted(id: 1, ttlSeconds: 5, now: at(0))
        #expect(lessor.expired(now: at(5)) == [1])
        lessor.notEnded([1, 2], now: at(5))
        #expect(lessor.expired(now: at(5.1)) == [1])
        #expect(lessor.expired(now: at(5.2)) == [])
        lessor.revoked(id: 1)
        lessor.notEnded([1], now: at(6))
        #expect(lessor.expired(now: at(9)) == [])
    }

    @Test func leasesExpireInTheirOrderAndNotBefore() {
        var lessor = Lessor(ttlSecondsMin: 2)
        #expect(lessor.grantable(1) == 2)
        #expect(lessor.grantable(9_000_000_001) == nil)
        lessor.granted(id: 1, ttlSeconds: 10, now: at(0))
        lessor.granted(id: 2, ttlSeconds: 5, now: at(0))
        #expect(lessor.nextExpiry == at(5))
        #expect(lessor.expired(now: at(4.9)) == [])
        #expect(lessor.expired(now: at(5)) == [2])
        #expect(lessor.expired(now: at(5.5)) == [])
        // Told again until the revoke is applied.
        #expect(lessor.expired(now: at(6)) == [2])
        #expect(lessor.keepAlive(id: 2, now: at(6)) == .none)
        lessor.revoked(id: 2)
        #expect(lessor.expired(now: at(9)) == [])
        #expect(lessor.keepAlive(id: 1, now: at(9)) == .done(ttlSeconds: 10))
        #expect(lessor.remainingSeconds(id: 1, now: at(9.5)) == 10)
        #expect(lessor.expired(now: at(18.9)) == [])
        #expect(lessor.expired(now: at(30), limit: 1) == [1])
        #expect(lessor.remainingSeconds(id: 1, now: at(30)) == 0)
        #expect(lessor.remainingSeconds(id: 3, now: at(30)) == nil)
    }

    @Test func aNewLeaderGoesOnFromTheCheckpoints() {
        var lessor = Lessor()
        lessor.granted(id: 1, ttlSeconds: 1000, now: at(0))
        #expect(lessor.checkpoints(now: at(299)) == [])
        #expect(
            lessor.checkpoints(now: at(300)) == [LeaseRemaining(id: 1, remainingSeconds: 700)])
        #expect(lessor.checkpoints(now: at(301)) == [])
        var next = Lessor()
        next.promote(
            [LeaseStatus(id: 1, grantedTTLSeconds: 1000, remainingTTLSeconds: 700)],
            now: at(50), extendMilliseconds: 500)
        #expect(next.expired(now: at(750.4)) == [])
        // The followers hear that the time started anew, before the client does.
        #expect(next.keepAlive(id: 1, now: at(60)) == .pending)
        let anew = LeaseRemaining(id: 1, remainingSeconds: 1000)
        #expect(next.hasRenewals)
        #expect(next.checkpoints(now: at(60)) == [anew])
        #expect(next.keepAlive(id: 1, now: at(60)) == .pending)
        #expect(!next.hasRenewals)
        #expect(next.checkpointed(anew) == 1000)
        #expect(next.keepAlive(id: 1, now: at(60)) == .done(ttlSeconds: 1000))
        #expect(next.expired(now: at(751)) == [])
        #expect(next.expired(now: at(1060)) == [1])
        next.demote()
        #expect(next.nextExpiry == nil)
    }

    @Test func aRenewalThatWasNotTakenIsToldAgain() {
        var lessor = Lessor()
        lessor.promote(
            [LeaseStatus(id: 1, grantedTTLSeconds: 60, remainingTTLSeconds: 9)], now: at(0),
            extendMilliseconds: 0)
        #expect(lessor.keepAlive(id: 1, now: at(5)) == .pending)
        let anew = LeaseRemaining(id: 1, remainingSeconds: 60)
        #expect(lessor.checkpoints(now: at(5)) == [anew])
        lessor.notTold([anew])
        #expect(lessor.hasRenewals && lessor.checkpoints(now: at(5)) == [anew])
        // Less is told before it is applied: it says nothing of later keep-alives.
        #expect(
            lessor.checkpoints(now: at(35)) == [LeaseRemaining(id: 1, remainingSeconds: 30)])
        #expect(lessor.checkpointed(anew) == 60)
        #expect(lessor.keepAlive(id: 1, now: at(36)) == .pending)
        // One that is over is told of no more.
        lessor.revoked(id: 1)
        lessor.notTold([anew])
        #expect(lessor.checkpointed(anew) == nil && lessor.checkpoints(now: at(40)) == [])
    }

    @Test func manyKeepAlivesDoNotPileUp() {
        var lessor = Lessor()
        for id in Int64(1)...10 { lessor.granted(id: id, ttlSeconds: 600, now: at(0)) }
        for second in 1...2000 {
            for id in Int64(1)...10 {
                #expect(
                    lessor.keepAlive(id: id, now: at(Double(second) / 10)) == .done(ttlSeconds: 600)
                )
            }
        }
        #expect(lessor.expired(now: at(799)) == [])
        #expect(lessor.expired(now: at(800)).sorted() == Array(1...10))
    }

    /// A lease that nobody keeps alive ends late by an eighth of its time after a failover.
    @Test(arguments: [Int64(20), 60, 600, 3600, 86400])
    func remainingTimeSurvivesAFailover(ttl: Int64) {
        var lessor = Lessor()
        lessor.granted(id: 1, ttlSeconds: ttl, now: at(0))
        var known = ttl
        // The leader is lost after nine tenths of the lease's time.
        let lost = Double(ttl) * 0.9
        for second in 0...Int(lost) {
            for remaining in lessor.checkpoints(now: at(Double(second))) {
                // Never less than there is.
                #expect(Double(remaining.remainingSeconds) >= Double(ttl) - Double(second))
                known = remaining.remainingSeconds
            }
        }
        let late = Double(known) - (Double(ttl) - lost)
        #expect(late <= Double(max(6, min(301, ttl / 8 + 1))))
        var next = Lessor()
        next.promote(
            [LeaseStatus(id: 1, grantedTTLSeconds: ttl, remainingTTLSeconds: known)],
            now: at(lost), extendMilliseconds: 600)
        #expect(next.expired(now: at(Double(ttl) - 0.1)) == [])
        #expect(next.expired(now: at(lost + Double(known) + 1)) == [1])
    }

    /// A lease that is kept alive costs no entry of the log.
    @Test func keepAlivesNeedNoCheckpoints() {
        var lessor = Lessor()
        lessor.granted(id: 1, ttlSeconds: 30, now: at(0))
        for second in stride(from: 10, through: 3000, by: 10) {
            #expect(lessor.keepAlive(id: 1, now: at(Double(second))) == .done(ttlSeconds: 30))
            #expect(lessor.checkpoints(now: at(Double(second))) == [])
        }
    }

    @Test func aStormOfExpiriesComesInSteps() {
        var lessor = Lessor()
        let count = 100_000
        for id in 1...Int64(count) { lessor.granted(id: id, ttlSeconds: 60, now: at(0)) }
        #expect(lessor.expired(now: at(59.999), limit: 2000) == [])
        var told: Set<Int64> = []
        var steps = 0
        while told.count < count {
            let step = lessor.expired(now: at(60 + Double(steps) * 0.05), limit: 2000)
            #expect(step.count == 2000)
            for id in step {
                #expect(told.insert(id).inserted)
                lessor.revoked(id: id)
            }
            steps += 1
        }
        #expect(steps == 50)
        #expect(lessor.nextExpiry == nil || lessor.expired(now: at(1000)) == [])
    }
}
