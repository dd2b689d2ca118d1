import Basics
import Glibc
import Simulator

/// Many seeds in worker processes, and one verdict.
struct Campaign {
    struct Failure {
        var seed: UInt64
        var code: Int32
        var text: String
    }

    let first: UInt64
    let count: UInt64
    let minutes: UInt64?
    let processes: Int
    /// For every worker.
    var arguments: [String] = []
    /// Seeds that one process runs.
    var seedsPerProcess: UInt64 = 25

    private var reports: [(seed: UInt64, report: Report)] = []
    private(set) var failure: Failure?

    init(first: UInt64, count: UInt64, minutes: UInt64?, processes: Int) {
        self.first = first
        self.count = count
        self.minutes = minutes
        self.processes = processes
    }

    /// Runs all seeds, or until the time is up, or until one fails. Returns the milliseconds.
    mutating func run() -> UInt64 {
        ScratchDirectory.removeOrphans(prefix: Worker.scratchPrefix)
        let start = MonotonicTime.now()
        var next = first
        var running: [WorkerProcess] = []
        while true {
            let elapsed = MonotonicTime.now().milliseconds(since: start)
            while running.count < processes, failure == nil, isMoreDue(next, elapsed) {
                let size =
                    minutes == nil ? min(seedsPerProcess, first + count - next) : seedsPerProcess
                guard
                    let worker = WorkerProcess(
                        first: next, count: size, arguments: arguments,
                        echoes: arguments.contains("--trace"))
                else {
                    failure = Failure(
                        seed: next, code: ExitCode.crash.rawValue,
                        text: "crash: cannot start a worker process: errno \(errno)")
                    break
                }
                running.append(worker)
                next += size
            }
            if running.isEmpty { break }
            for worker in Self.readable(running) where !worker.read() {
                running.removeAll { $0 === worker }
                take(worker)
            }
        }
        return MonotonicTime.now().milliseconds(since: start)
    }

    private func isMoreDue(_ next: UInt64, _ elapsed: UInt64) -> Bool {
        if let minutes { return elapsed < minutes * 60_000 }
        return next < first + count
    }

    private mutating func take(_ worker: WorkerProcess) {
        let code = worker.wait()
        for (seed, text) in worker.results {
            if let report = Report(line: text) {
                reports.append((seed, report))
            } else if code != 0, failure.map({ seed < $0.seed }) ?? true {
                failure = Failure(
                    seed: seed, code: code, text: text.isEmpty ? "crash" : String(text))
            }
        }
    }

    /// Waits until one of the workers printed something or ended.
    private static func readable(_ workers: [WorkerProcess]) -> [WorkerProcess] {
        var polls = workers.map { pollfd(fd: $0.output, events: Int16(POLLIN), revents: 0) }
        guard unsafe poll(&polls, nfds_t(polls.count), -1) > 0 else { return [] }
        return zip(workers, polls).filter { $0.1.revents != 0 }.map(\.0)
    }

    /// Prints the figures; the last line is the verdict.
    func printVerdict(milliseconds: UInt64) {
        let sorted = reports.sorted { $0.seed < $1.seed }
        var sum = Report()
        for (_, report) in sorted { sum.add(report) }
        for line in sum.coverage.table { print(line) }
        let elapsed = max(1, milliseconds)
        print(
            "\(sum.operations) client operations, \(sum.undecided) histories undecided; "
                + "\(elapsed / 1000) s, \(UInt64(sorted.count) * 1000 / elapsed) seeds/s; "
                + sum.speed)
        if let failure {
            print("seed \(failure.seed) broke \(failure.text)")
        } else {
            print(
                "\(sorted.count) seeds from \(first): ok, \(sum.steps) steps, trace hash "
                    + TraceHash.text(sum.hash))
        }
    }
}
