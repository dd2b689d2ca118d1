import Simulator
import Testing

@Suite struct LeaseOracleTests {
    private let second: UInt64 = 1_000_000

    @Test func early() throws {
        var oracle = LeaseOracle(driftPerMille: 0)
        oracle.granted(1, seconds: 3, called: 1 * second, now: 1 * second + 50)
        try oracle.ended(2, now: 0)
        expectViolation("lease 1 ended") { try oracle.ended(1, now: 4 * second - 1000) }
    }

    @Test func inTime() throws {
        var oracle = LeaseOracle(driftPerMille: 0)
        oracle.granted(1, seconds: 3, called: 1 * second, now: 1 * second + 50)
        try oracle.ended(1, now: 4 * second)
    }

    @Test func renewedAfterItsEnd() throws {
        var oracle = LeaseOracle(driftPerMille: 0)
        oracle.granted(1, seconds: 3, called: 0, now: 0)
        try oracle.ended(1, now: 4 * second)
        // The call may have come before the end.
        try oracle.renewed(1, called: 4 * second, now: 5 * second)
        expectViolation("lease 1 was kept alive") {
            try oracle.renewed(1, called: 4 * second + 1000, now: 5 * second)
        }
    }

    @Test func promisedForLongerThanTheLeaderKnows() throws {
        var oracle = LeaseOracle(driftPerMille: 0)
        oracle.granted(1, seconds: 10, called: 1 * second, now: 1 * second)
        try oracle.check(1, known: 8, now: 3 * second)
        expectViolation("lease 1 was promised for 1000 ms longer") {
            try oracle.check(1, known: 7, now: 3 * second)
        }
        oracle.clockJumped(by: 1 * second)
        try oracle.check(1, known: 7, now: 3 * second)
        oracle.revoking(1)
        try oracle.check(1, known: 0, now: 3 * second)
    }

    @Test func renewal() throws {
        var oracle = LeaseOracle(driftPerMille: 0)
        oracle.granted(1, seconds: 3, called: 0, now: 0)
        try oracle.renewed(1, called: 2 * second, now: 2 * second + 5)
        expectViolation("lease 1 ended") { try oracle.ended(1, now: 4 * second) }
    }

    @Test func clocks() throws {
        // A clock that runs a tenth fast, or jumped, may end it that much earlier.
        var fast = LeaseOracle(driftPerMille: 100)
        fast.granted(1, seconds: 11, called: 0, now: 0)
        try fast.ended(1, now: 10 * second)
        var jumped = LeaseOracle(driftPerMille: 0)
        jumped.granted(1, seconds: 11, called: 0, now: 0)
        jumped.clockJumped(by: 5 * second)
        try jumped.ended(1, now: 6 * second)
    }

    @Test func revokedByItsClient() throws {
        var oracle = LeaseOracle(driftPerMille: 0)
        oracle.granted(1, seconds: 3, called: 0, now: 0)
        oracle.revoking(1)
        try oracle.ended(1, now: 1)
    }

    @Test func late() {
        var oracle = LeaseOracle(driftPerMille: 0)
        oracle.granted(1, seconds: 3, called: 0, now: 0)
        func overdue(_ now: UInt64, since: UInt64 = 0, standing: [Int64] = [1]) -> [Int64] {
            oracle.overdue(
                now: now * second, since: since * second, slack: 3 * second, standing: standing)
        }
        #expect(overdue(5) == [])
        #expect(overdue(7) == [1])
        #expect(overdue(7, standing: []) == [])
        // A new leader begins anew.
        #expect(overdue(7, since: 2) == [])
        #expect(overdue(9, since: 2) == [1])
    }

    /// Two election timeouts on the slowest clock, and three seconds.
    @Test func lateForALeader() throws {
        var oracle = LeaseOracle(driftPerMille: 200)
        oracle.granted(1, seconds: 4, called: 0, now: 0)
        func check(_ milliseconds: UInt64, standing: [Int64] = [1]) throws(Violation) {
            try oracle.checkEnds(
                now: milliseconds * 1_000, since: 0, electionMilliseconds: 400,
                standing: standing)
        }
        // 4 s and 0.8 s, a quarter more each.
        try check(9_000)
        try check(9_001, standing: [])
        expectViolation("lease 1 stands though its time is over") { try check(9_001) }
    }

    /// A keep-alive that nobody answered may be on its way still.
    @Test func lateAfterAKeepAliveThatWasNotAnswered() {
        var oracle = LeaseOracle(driftPerMille: 0)
        oracle.granted(1, seconds: 3, called: 0, now: 0)
        oracle.mayBeRenewed(1, latest: 4 * second)
        func overdue(_ now: UInt64) -> [Int64] {
            oracle.overdue(now: now * second, since: 0, slack: 3 * second, standing: [1])
        }
        #expect(overdue(10) == [])
        #expect(overdue(11) == [1])
    }
}
