import Simulator
import Testing

@Suite struct LivenessTests {
    @Test func patienceHasAnEnd() throws {
        let (begun, minute) = (UInt64(5_000_000), UInt64(60_000_000))
        try Liveness.check("leases end", since: begun, now: begun + 2 * minute - 1)
        do throws(Violation) {
            try Liveness.check("leases end", since: begun, now: begun + 2 * minute)
            Issue.record("nothing was found")
        } catch {
            #expect(error.description == "liveness: not within two minutes: leases end")
        }
    }

    @Test func whoDoesNotAgree() {
        #expect(Liveness.agree(applied: [7, 7, 7], leader: 7, committed: 7))
        let bad: [(applied: [UInt64?], leader: UInt64?)] = [
            ([7, 6, 7], 7), ([7, nil, 7], 7), ([7, 7, 8], 7), ([7, 7, 7], 8), ([7, 7, 7], nil),
        ]
        for (applied, leader) in bad {
            #expect(!Liveness.agree(applied: applied, leader: leader, committed: 7))
        }
    }
}
