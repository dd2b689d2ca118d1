import ArgumentParser
import Basics
import Glibc
import Simulator

/// Runs seeds of the simulator, each in a process of its own.
struct RaftFuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "raft-fuzz",
        abstract: "Runs clusters of the production Raft, log and keyspace under faults.",
        discussion: """
            Each seed is one cluster in one deterministic process: 3 to 5 replicas, clients, a \
            network that loses, delays, duplicates and reorders, partitions, crashes, power cuts \
            that tear the log, lost disks. Checked: election safety, log matching, leader \
            completeness, agreement of all state machines with a reference, linearizability of \
            what clients saw, and that the healed cluster serves again.

            Exit codes: 0 ok, 127 crash, 128 liveness, 129 correctness.
            """)

    @Option(help: "First seed.") var firstSeed: UInt64 = 1
    @Option(help: "How many seeds.") var seeds: UInt64 = 200
    @Option(help: "Events of a seed before it is healed.") var steps = 20_000
    @Option(help: "Go on with further seeds for so long.") var minutes: UInt64?
    @Option(help: "Run only this seed.") var seed: UInt64?
    @Flag(help: "Print what happens, line by line.") var trace = false
    @Option(
        help: "LMDB holds the state in one of so many seeds, lists in the others; 0 for lists only."
    ) var lmdbShare = 1
    @Option(help: "Processes at a time.") var workers = 2
    @Flag(help: .hidden) var worker = false

    func validate() throws {
        guard steps > 0, workers > 0, lmdbShare >= 0, seeds > 0 else {
            throw ValidationError("--steps, --seeds and --workers are at least 1")
        }
    }

    func run() throws {
        if worker {
            let settings = Worker.Settings(
                steps: steps, lmdbShare: lmdbShare, printsTrace: trace)
            Glibc.exit(Worker.run(seed: seed ?? firstSeed, settings))
        }
        var campaign = Campaign(
            first: seed ?? firstSeed, count: seed == nil ? seeds : 1, minutes: minutes,
            processes: workers)
        campaign.arguments = ["--steps", "\(steps)", "--lmdb-share", "\(lmdbShare)"]
        if trace { campaign.arguments.append("--trace") }
        Glibc.exit(campaign.run())
    }
}
