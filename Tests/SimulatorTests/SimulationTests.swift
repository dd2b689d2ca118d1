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

    private func run(_ seed: UInt64) throws -> Simulation.Outcome {
        var options = Simulation.Options(seed: seed)
        options.steps = 4_000
        options.scratchDirectory = ScratchDirectory.make(name: "martlet-simulation-\(seed)")
        defer { ScratchDirectory.remove(options.scratchDirectory) }
        return try Simulation(options).run()
    }
}
