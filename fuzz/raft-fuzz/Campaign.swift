import Basics
import Glibc
import Simulator

/// Many seeds in worker processes, and one verdict.
struct Campaign {
    private struct Report {
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

    private var reports: [Report] = []

    init(first: UInt64, count: UInt64, minutes: UInt64?, processes: Int) {
        self.first = first
        self.count = count
        self.minutes = minutes
        self.processes = processes
    }

    /// Returns the exit code. The last line printed is the verdict.
    mutating func run() -> Int32 {
        let start = MonotonicTime.now()
        let milliseconds = (minutes ?? 0) * 60_000
        var next = first
        var running: [WorkerProcess] = []
        var hasFailed = false
        func isMoreDue() -> Bool {
            guard !hasFailed else { return false }
            if minutes != nil {
                return MonotonicTime.now().milliseconds(since: start) < milliseconds
            }
            return next < first + count
        }
        while true {
            while running.count < processes, isMoreDue() {
                let echoes = arguments.contains("--trace")
                guard let worker = WorkerProcess(seed: next, arguments: arguments, echoes: echoes)
                else {
                    print("cannot start a worker process: errno \(errno)")
                    return ExitCode.crash.rawValue
                }
                running.append(worker)
                next += 1
            }
            if running.isEmpty { break }
            for worker in Self.readable(running) where !worker.read() {
                running.removeAll { $0 === worker }
                let report = Report(seed: worker.seed, code: worker.wait(), text: worker.result)
                reports.append(report)
                if report.code != 0 { hasFailed = true }
            }
        }
        return verdict(milliseconds: MonotonicTime.now().milliseconds(since: start))
    }

    /// Waits until one of the workers printed something or ended.
    private static func readable(_ workers: [WorkerProcess]) -> [WorkerProcess] {
        var polls = workers.map { pollfd(fd: $0.output, events: Int16(POLLIN), revents: 0) }
        guard unsafe poll(&polls, nfds_t(polls.count), -1) > 0 else { return [] }
        return zip(workers, polls).filter { $0.1.revents != 0 }.map(\.0)
    }

    private func verdict(milliseconds: UInt64) -> Int32 {
        let sorted = reports.sorted { $0.seed < $1.seed }
        if let failed = sorted.first(where: { $0.code != 0 }) {
            let text = failed.text.isEmpty ? "crash" : failed.text
            print("to see how: raft-fuzz --seed \(failed.seed) --trace")
            print("seed \(failed.seed) broke \(text)")
            return failed.code
        }
        var hash = TraceHash()
        var steps: UInt64 = 0
        var operations: UInt64 = 0
        var undecided: UInt64 = 0
        for report in sorted {
            let numbers = report.text.split(separator: " ").compactMap { UInt64($0) }
            guard numbers.count == 4 else {
                print("seed \(report.seed) broke crash: no result (\(report.text))")
                return ExitCode.crash.rawValue
            }
            steps += numbers[0]
            hash.add(numbers[1])
            operations += numbers[2]
            undecided += numbers[3]
        }
        print(
            "\(operations) client operations, \(undecided) histories undecided, "
                + "\(milliseconds / 1000) s")
        print("\(sorted.count) seeds from \(first): ok, \(steps) steps, trace hash \(hash.text)")
        return ExitCode.ok.rawValue
    }
}
