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
            let calm = Locked<UInt64>(0)
            options.onCalm = { _ in
                calm.withLock { $0 = cpuMicroseconds &- $0 }
            }
            let begun = cpuMicroseconds
            do throws(Violation) {
                let outcome = try Simulation(options).run()
                let report = Report(
                    outcome, cpuMicroseconds - begun, calm: calm.withLock { $0 })
                write(resultPrefix + report.line)
            } catch {
                write("\(resultPrefix)\(error)")
                return error.kind == .liveness
                    ? ExitCode.liveness.rawValue : ExitCode.correctness.rawValue
            }
        }
        return ExitCode.ok.rawValue
    }

    /// What this process used of a core.
    private static var cpuMicroseconds: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }

    /// At once, so that a crash does not take the last lines with it.
    private static func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = unsafe Glibc.write(1, bytes, bytes.count)
    }

    /// The directory of a worker, which whoever waits for it removes if it crashed.
    static func scratchName(_ process: pid_t) -> String { "\(scratchPrefix)\(process)" }
    static let scratchPrefix = "raft-fuzz-"
}

/// The codes of TigerBeetle's simulator.
enum ExitCode: Int32 {
    case ok = 0
    case crash = 127
    case liveness = 128
    case correctness = 129
}
