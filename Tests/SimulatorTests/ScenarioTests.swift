import Basics
import ReplicaCore
import Simulator
import Testing

/// What seeds draw of limits and leases, and that replicas are told of it.
@Suite struct ScenarioTests {
    private let drawn = (UInt64(1)...300).map { seed in
        var random = SeededRandom(seed: seed)
        return Scenario(&random)
    }

    private func settings(_ scenario: Scenario) -> ReplicaSettings {
        var settings = ReplicaSettings(
            directory: "", clusterID: 1, name: "", members: [], seed: 1)
        scenario.set(&settings)
        return settings
    }

    @Test func limitsAreDrawnAndTold() {
        let told = drawn.map(settings)
        #expect(
            Set(told.map(\.inflightBytesMax)) == [1, 100, 400, 2_000, Limits.inflightBytesMax])
        #expect(
            Set(told.map(\.uncommittedBytesMax))
                == [500, 1_500, 5_000, Limits.uncommittedBytesMax])
        let usual = told.filter { $0.uncommittedBytesMax == Limits.uncommittedBytesMax }
        #expect(usual.count > drawn.count / 2)
    }

    @Test func leasesOfReadsAreDrawnAndTold() {
        let leased = drawn.filter(\.hasReadLeases)
        #expect(leased.count > drawn.count / 6 && leased.count < drawn.count / 2)
        #expect(leased.allSatisfy { settings($0).hasReadLeases && $0.mayHaveReadLeases })
        #expect(drawn.contains { $0.mayHaveReadLeases && !settings($0).hasReadLeases })
    }

    /// Not where a follower may have counted its ticks before the lease is over.
    @Test(
        arguments: [
            (50, 300, 0, true), (50, 300, 100, true), (50, 300, 300, false), (50, 200, 10, true),
            (50, 200, 100, false), (50, 150, 0, false), (100, 200, 0, false), (10, 110, 100, true),
        ] as [(UInt64, UInt64, UInt64, Bool)])
    func leasesNeedClocks(
        heartbeat: UInt64, election: UInt64, driftPerMille: UInt64, isAllowed: Bool
    ) {
        var scenario = drawn[0]
        scenario.faults = [.kill, .pause, .powerCut]
        scenario.heartbeatMilliseconds = heartbeat
        scenario.electionMilliseconds = election
        scenario.driftPerMille = driftPerMille
        #expect(scenario.mayHaveReadLeases == isAllowed)
        scenario.faults.append(.clockJump)
        #expect(!scenario.mayHaveReadLeases)
    }
}
