import Basics
import Keyspace
import Raft
import ReplicaCore
import TestSupport
import Testing

/// How soon a replica leads, and keeps the time of leases.
@Suite struct NewLeaderTests {
    @Test func aSoleVoterStandsAtOnceAtEachStart() throws {
        let scratch = TemporaryDirectory()
        for _ in 0..<2 {
            let fixture = try CoreFixture(voters: 1, in: scratch)
            try fixture.step()
            #expect(fixture.environment.status.role == .leader)
            fixture.end()
        }
    }

    /// Where leaders have leases of reads, one that was removed may have such a lease still.
    @Test func aSoleVoterWithLeasesOfReadsWaits() throws {
        let fixture = try CoreFixture(voters: 1) { $0.hasReadLeases = true }
        try fixture.step()
        #expect(fixture.environment.status.role == .follower)
        fixture.end()
    }

    /// Under load there is always something that is committed and not applied yet.
    @Test func leasesAreTakenOverWithTheFirstEntryOfTheTerm() throws {
        let fixture = try CoreFixture { settings in
            settings.campaignsAtOnce = true
            settings.messageBytesMax = 16 << 20
        }
        // More than a round applies.
        let writes = (0..<6).map { number in
            let value = Bytes(repeating: UInt8(number), count: 900_000)
            return fixture.write(
                .transaction(
                    TransactionRequest(success: [
                        .put(PutRequest(key: [UInt8(number)], value: value))
                    ])))
        }
        try fixture.elect(writes)
        #expect(fixture.core.knownSeconds(ofLease: 1) == nil)
        try fixture.acknowledge()
        let raft = try #require(fixture.core.raft)
        try #require(raft.commitIndex == 7 && raft.appliedIndex > 0 && raft.appliedIndex < 7)
        #expect(fixture.core.knownSeconds(ofLease: 1) == 0)
    }
}
