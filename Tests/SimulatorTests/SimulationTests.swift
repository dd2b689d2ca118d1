import Basics
import Simulator
import Testing

@Suite struct SimulationTests {
    /// Some seeds of every kind, short. `raft-fuzz` runs many.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6]) func seed(_ seed: UInt64) throws {
        let outcome = try run(seed)
        #expect(outcome.operations > 10)
        #expect(outcome.undecided == 0)
    }

    /// The same seed does the same.
    @Test(arguments: [UInt64(7), 8]) func sameSeedSameTrace(_ seed: UInt64) throws {
        let first = try run(seed)
        #expect(try run(seed) == first)
        #expect(try run(seed + 100).hash != first.hash)
    }

    /// Where a seed has leases of reads, or small limits, they make a difference.
    @Test func leasesAndLimitsAreReached() throws {
        let leaseReads = try sum(.leaseRead) { $0.hasReadLeases }
        #expect(leaseReads > 0)
        let held = try sum(.heldAppend) { $0.inflightBytesMax == 1 && $0.rushingClients > 0 }
        #expect(held > 0)
        let refused = try sum(.refusedProposal) {
            $0.uncommittedBytesMax == 500 && $0.rushingClients > 0
        }
        #expect(refused > 0)
    }

    /// Over the first three seeds that are as wanted.
    private func sum(
        _ reach: Coverage.Reach, where isWanted: (Scenario) -> Bool
    ) throws -> Int {
        var seeds: [UInt64] = []
        for seed in UInt64(1)...1_000 where seeds.count < 3 {
            let simulation = Simulation(Simulation.Options(seed: seed))
            if isWanted(simulation.scenario) { seeds.append(seed) }
        }
        var sum = 0
        for seed in seeds { sum += try run(seed).coverage.count(of: reach) }
        return sum
    }

    private func run(_ seed: UInt64) throws -> Simulation.Outcome {
        var options = Simulation.Options(seed: seed)
        options.steps = 4_000
        options.scratchDirectory = ScratchDirectory.make(name: "martlet-simulation-\(seed)")
        defer { ScratchDirectory.remove(options.scratchDirectory) }
        return try Simulation(options).run()
    }
}
