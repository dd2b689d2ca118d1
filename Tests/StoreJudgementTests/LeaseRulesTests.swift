import Keyspace
import Simulator
import StoreJudgement
import Testing

@Suite struct LeaseRulesTests {
    /// At second 1 lease 7 is granted for 5 s, and gets the keys a and b.
    private func make() -> MadeHistory {
        var made = MadeHistory()
        made.now = 1
        made.grant(7, seconds: 5)
        made.write(put("a", "1", lease: 7), put("b", "1", lease: 7), put("c", "1"))
        return made
    }

    @Test func endsInTime() throws {
        var made = make()
        made.now = 6
        made.end(7)
        made.read()
        #expect(try made.check().leaseEnds == 1)
    }

    @Test func early() {
        var made = make()
        made.now = 5
        made.end(7)
        made.expectViolation("lease 7 ended")
    }

    /// The watcher heard late of an end of whose revision somebody else had heard.
    @Test func earlyThoughSeenLate() {
        var made = make()
        made.now = 5
        made.end(7)
        made.read()
        made.sightings[1].microseconds = 9_000_000
        made.expectViolation("lease 7 ended")
    }

    @Test func keptAlive() throws {
        var made = make()
        made.now = 4
        made.keepAlive(7, seconds: 5)
        made.now = 9
        made.end(7)
        try made.check()
        made.sightings[1].microseconds = 8_000_000
        made.expectViolation("lease 7 ended")
    }

    /// An answer that nobody heard promises nothing.
    @Test func keepAliveWithoutAnswer() throws {
        var made = make()
        made.now = 4
        made.add(.keepAlive(7), .unknown)
        made.now = 6
        made.end(7)
        try made.check()
    }

    @Test func endLeavesAKey() {
        var made = make()
        made.now = 6
        made.end(7)
        // The end deleted a, then b.
        made.sightings[1].batch.events.removeLast()
        made.expectViolation("watch, reliable")
    }

    @Test func endTakesAKeyOfNoLease() {
        var made = make()
        made.now = 6
        made.end(7)
        var event = made.sightings[1].batch.events[0]
        event.keyValue.key = bytes("c")
        event.previous = made.model.find(bytes("c"))
        made.sightings[1].batch.events.append(event)
        made.expectViolation("never happened")
    }

    @Test func revoked() throws {
        var made = make()
        made.revoke(7)
        made.read()
        try made.check()
    }

    @Test func revokeThatDoesNothing() {
        var made = make()
        made.add(.revoke(7), .revision(made.model.revision))
        made.expectViolation("was acknowledged, and left a")
    }

    @Test func refusedTooEarly() throws {
        let lease: [Operation] = [put("a", "2", lease: 8), put("mark/0", "2")]
        let write = LoadOperation.Call.write(
            TransactionRequest(success: lease), mark: bytes("2"))
        let calls: [LoadOperation.Call] = [write, .keepAlive(8), .timeToLive(8)]
        for call in calls {
            var made = MadeHistory()
            made.now = 1
            made.grant(8, seconds: 5)
            made.write(put("a", "1"))
            made.now = 5
            made.add(call, .refused(.leaseNotFound))
            made.expectViolation("lease 8")
            made.operations[2].called.microseconds = 6_000_000
            made.operations[2].returned.microseconds = 6_000_000
            try made.check()
        }
    }

    @Test func usedAfterItsEnd() {
        for isWrite in [true, false] {
            var made = make()
            made.write(put("a", "2"), put("b", "2"))
            // Without keys its end is no event.
            made.add(.revoke(7), .revision(made.model.revision))
            if isWrite {
                made.write(put("a", "3", lease: 7))
            } else {
                made.keepAlive(7, seconds: 5)
            }
            made.expectViolation("found lease 7")
        }
    }

    @Test func timesThatCannotBe() throws {
        for (remaining, isPlausible) in [(2, false), (3, true), (6, true), (7, false)] {
            var made = make()
            made.now = 3
            let status = made.status(7, 5, remaining: Int64(remaining))
            made.add(.timeToLive(7), .lease(status))
            made.now = 7
            made.end(7)
            if isPlausible { try made.check() } else { made.expectViolation("7") }
        }
        var made = make()
        made.keepAlive(7, seconds: 4)
        made.expectViolation("got 4 s")
    }

    @Test func keyWithoutItsLease() {
        make().expectViolation("its lease 7 is not")
    }

    @Test func late() {
        var made = make()
        made.now = 3
        made.keepAlive(7, seconds: 5)
        func overdue(_ now: UInt64, healed: UInt64 = 0, standing: [Int64] = [7]) -> [Int64] {
            HistoryJudgement(made.history).overdue(
                now: now * 1_000_000, healed: healed * 1_000_000, slack: 2_000_000,
                standing: standing)
        }
        #expect(overdue(10) == [])
        #expect(overdue(11) == [7])
        #expect(overdue(11, standing: []) == [])
        // A new leader begins anew.
        #expect(overdue(11, healed: 4) == [])
        #expect(overdue(12, healed: 4) == [7])
    }
}
