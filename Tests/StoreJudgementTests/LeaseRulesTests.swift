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

    @Test func keptAliveAfterItsEnd() throws {
        var made = make()
        made.now = 6
        made.end(7)
        made.now = 8
        made.keepAlive(7, seconds: 5)
        made.expectViolation("lease 7 was kept alive by a call 2000 ms after its end")
        // The call may have come before the end.
        made.operations[2].called.microseconds = 6_000_000
        try made.check()
    }

    /// The events of an end say another revision than it has.
    @Test func endAtAnotherRevision() {
        var made = make()
        made.now = 6
        made.end(7)
        for index in made.sightings[1].batch.events.indices {
            made.sightings[1].batch.events[index].keyValue.modRevision = 4
        }
        made.sightings[1].batch.revision = 4
        made.expectViolation("watch: there are events of revision 4, the model is at 3")
    }

    @Test func grantOfAnother() throws {
        for (id, seconds, text) in [(8, 5, "got 5 s for 8"), (7, 6, "got 6 s for 7")] {
            var made = MadeHistory()
            made.grant(7, seconds: 5)
            made.write(put("a", "1"))
            try made.check()
            made.operations[0].answer = .lease(made.status(Int64(id), Int64(seconds)))
            made.expectViolation(text)
        }
    }

    /// A write was told that the lease is gone, and a later one has it.
    @Test func foundAfterItWasMissed() throws {
        var made = MadeHistory()
        made.now = 1
        made.grant(8, seconds: 5)
        made.write(put("a", "1"))
        let late = LoadOperation.Call.write(
            TransactionRequest(success: [put("a", "2", lease: 8), put("mark/0", "9")]),
            mark: bytes("9"))
        made.now = 6
        made.add(late, .refused(.leaseNotFound))
        try made.check()
        made.add(.timeToLive(8), .lease(made.status(8, 5, remaining: 1)))
        made.expectViolation("found lease 8, but")
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
        let cases: [(remaining: Int64, text: String?)] = [
            (2, "lease 7 was promised for 1000 ms longer"), (3, nil), (6, nil),
            (7, "got 7 s of 5 s"),
        ]
        for (remaining, text) in cases {
            var made = make()
            made.now = 3
            let status = made.status(7, 5, remaining: remaining)
            made.add(.timeToLive(7), .lease(status))
            made.now = 7
            made.end(7)
            if let text { made.expectViolation(text) } else { try made.check() }
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
