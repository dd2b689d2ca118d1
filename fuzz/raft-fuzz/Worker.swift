import Basics
import Glibc
import Simulator

/// Some seeds, one after the other, in the process that was made for them.
enum Worker {
    struct Settings {
        var steps: Int
        var printsTrace: Bool
        var without: [String]
    }

    /// Begins the line that says which seed begins, and the one that says how it ended.
    static let seedPrefix = "seed "
    static let resultPrefix = "result "

    /// Returns the exit code; stops at the first seed that is not good.
    static func run(first: UInt64, count: UInt64, _ settings: Settings) -> Int32 {
        for seed in first..<first + count {
            write("\(seedPrefix)\(seed)")
            var options = Simulation.Options(seed: seed)
            options.steps = settings.steps
            options.without = settings.without
            options.scratchDirectory = ScratchDirectory.make(name: scratchName(getpid()))
            defer { ScratchDirectory.remove(options.scratchDirectory) }
            if settings.printsTrace { options.trace = { write($0) } }
            do throws(Violation) {
                write(resultPrefix + Report(try Simulation(options).run()).line)
            } catch {
                write("\(resultPrefix)\(error)")
                return error.kind == .liveness
                    ? ExitCode.liveness.rawValue : ExitCode.correctness.rawValue
            }
        }
        return ExitCode.ok.rawValue
    }

    /// At once, so that a crash does not take the last lines with it.
    private static func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = unsafe Glibc.write(1, bytes, bytes.count)
    }

    /// The directory of a worker, which whoever waits for it removes if it crashed.
    static func scratchName(_ process: pid_t) -> String { "raft-fuzz-\(process)" }
}

/// What a worker says of a good seed, in numbers.
struct Report {
    var steps: UInt64
    var hash: UInt64
    var operations: UInt64
    var undecided: UInt64
    var milliseconds: UInt64
    var coverage: Coverage

    init(_ outcome: Simulation.Outcome) {
        steps = UInt64(outcome.steps)
        hash = outcome.hash
        operations = UInt64(outcome.operations)
        undecided = UInt64(outcome.undecided)
        milliseconds = outcome.milliseconds
        coverage = outcome.coverage
    }

    init?(line: Substring) {
        let words = line.split(separator: " ")
        let numbers = words.compactMap { UInt64($0) }
        guard numbers.count == words.count, numbers.count == 5 + Coverage().counts.count else {
            return nil
        }
        steps = numbers[0]
        hash = numbers[1]
        operations = numbers[2]
        undecided = numbers[3]
        milliseconds = numbers[4]
        coverage = Coverage(counts: numbers[5...].map { Int($0) })
    }

    var line: String {
        let numbers = [steps, hash, operations, undecided, milliseconds]
        return numbers.map { "\($0)" }.joined(separator: " ") + " "
            + coverage.counts.map { "\($0)" }.joined(separator: " ")
    }
}

/// The codes of TigerBeetle's simulator.
enum ExitCode: Int32 {
    case ok = 0
    case crash = 127
    case liveness = 128
    case correctness = 129
}
