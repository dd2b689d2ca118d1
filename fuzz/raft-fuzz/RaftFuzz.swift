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
            Each seed is one cluster in one deterministic process: 1 to 7 replicas that run the \
            production core, log, keyspace and watches; clients and watchers; a network that \
            loses, delays, duplicates, reorders and clogs; partitions, crashes, power cuts that \
            tear the log, failing, full and lying disks, lost directories, clocks that drift and \
            jump. Checked: docs/SIMULATOR.md.

            Exit codes: 0 ok, 127 crash, 128 liveness, 129 correctness.
            """)

    @Option(help: "First seed.") var firstSeed: UInt64 = 1
    @Option(help: "How many seeds.") var seeds: UInt64 = 200
    @Option(help: "Events of a seed before it is healed.") var steps = 8_000
    @Option(help: "Go on with further seeds for so long.") var minutes: UInt64?
    @Option(help: "Run only this seed.") var seed: UInt64?
    @Flag(help: "Print what happens, line by line.") var trace = false
    @Option(help: "Faults to leave out, with commas between.") var without = ""
    @Flag(inversion: .prefixedNo, help: "Look for what a failing seed can do without.")
    var shrink = true
    #if MUTANTS
        @Option(help: "Put this bug back (docs/MUTANTS.md).") var mutant: UInt8?
        @Flag(help: "List the bugs that can be put back.") var listMutants = false
    #endif
    @Option(help: "Processes at a time.") var workers = 2
    @Flag(help: .hidden) var worker = false

    func validate() throws {
        guard steps > 0, workers > 0, seeds > 0 else {
            throw ValidationError("--steps, --seeds and --workers are at least 1")
        }
    }

    func run() throws {
        #if MUTANTS
            if listMutants {
                for mutant in Mutant.allCases { print("\(mutant.rawValue) \(mutant)") }
                return
            }
            if let mutant {
                guard let chosen = Mutant(rawValue: mutant) else {
                    throw ValidationError("no mutant \(mutant)")
                }
                unsafe Mutant.active = chosen
                print("\(Mutant.marker), mutant \(mutant): \(chosen)")
            }
        #endif
        if worker {
            let settings = Worker.Settings(
                steps: steps, printsTrace: trace,
                without: without.split(separator: ",").map { String($0) })
            Glibc.exit(Worker.run(first: firstSeed, count: seeds, settings))
        }
        var campaign = Campaign(
            first: seed ?? firstSeed, count: seed == nil ? seeds : 1, minutes: minutes,
            processes: workers)
        if !without.isEmpty { campaign.arguments += ["--without", without] }
        #if MUTANTS
            if let mutant { campaign.arguments += ["--mutant", "\(mutant)"] }
        #endif
        let settings = campaign.arguments
        campaign.arguments += ["--steps", "\(steps)"]
        if trace { campaign.arguments.append("--trace") }
        let milliseconds = campaign.run()
        if let failure = campaign.failure, shrink, !trace {
            var shrinking = Shrinking(failure, steps: steps, without: without, settings)
            shrinking.run()
            print("to see how: \(shrinking.command)")
        }
        campaign.printVerdict(milliseconds: milliseconds)
        Glibc.exit(campaign.failure?.code ?? ExitCode.ok.rawValue)
    }
}
