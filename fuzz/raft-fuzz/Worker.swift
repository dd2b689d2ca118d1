import Basics
import Glibc
import Simulator

/// One seed, in the process that was made for it.
enum Worker {
    struct Settings {
        var steps: Int
        var lmdbShare: Int
        var printsTrace: Bool
    }

    /// What the last line of a worker says.
    static let resultPrefix = "result "

    /// Returns the exit code.
    static func run(seed: UInt64, _ settings: Settings) -> Int32 {
        var options = Simulation.Options(seed: seed)
        options.steps = settings.steps
        options.lmdbShare = settings.lmdbShare
        options.scratchDirectory = ScratchDirectory.make(name: scratchName(getpid()))
        defer { ScratchDirectory.remove(options.scratchDirectory) }
        if settings.printsTrace { options.trace = { write($0) } }
        do {
            let outcome = try Simulation(options).run()
            write(
                "\(resultPrefix)\(outcome.steps) \(outcome.hash) \(outcome.operations) "
                    + "\(outcome.undecided)")
            return ExitCode.ok.rawValue
        } catch {
            write("\(resultPrefix)\(error)")
            return error.kind == .liveness
                ? ExitCode.liveness.rawValue : ExitCode.correctness.rawValue
        }
    }

    /// At once, so that a crash does not take the last lines with it.
    private static func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = unsafe Glibc.write(1, bytes, bytes.count)
    }

    /// The directory of a worker, which whoever waits for it removes if it crashed.
    static func scratchName(_ process: pid_t) -> String { "raft-fuzz-\(process)" }
}

/// The codes of TigerBeetle's simulator.
enum ExitCode: Int32 {
    case ok = 0
    case crash = 127
    case liveness = 128
    case correctness = 129
}
