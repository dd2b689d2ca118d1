import Simulator

/// What a worker says of a good seed, in numbers; or the sum over many.
struct Report {
    var steps: UInt64 = 0
    var hash: UInt64 = 0
    var operations: UInt64 = 0
    var undecided: UInt64 = 0
    var milliseconds: UInt64 = 0
    /// What the seed took of one core.
    var cpuMicroseconds: UInt64 = 0
    /// Of the two above, what seeds with the default timeouts took.
    var defaultMilliseconds: UInt64 = 0
    var defaultMicroseconds: UInt64 = 0
    /// And of these, what calm stretches took.
    var calmMilliseconds: UInt64 = 0
    var calmMicroseconds: UInt64 = 0
    var coverage = Coverage()

    private static var fields: [WritableKeyPath<Report, UInt64>] {
        [
            \.steps, \.hash, \.operations, \.undecided, \.milliseconds, \.cpuMicroseconds,
            \.defaultMilliseconds, \.defaultMicroseconds, \.calmMilliseconds, \.calmMicroseconds,
        ]
    }

    init() {}

    init(_ outcome: Simulation.Outcome, _ cpuMicroseconds: UInt64, calm: UInt64) {
        steps = UInt64(outcome.steps)
        hash = outcome.hash
        operations = UInt64(outcome.operations)
        undecided = UInt64(outcome.undecided)
        milliseconds = outcome.milliseconds
        self.cpuMicroseconds = cpuMicroseconds
        if outcome.hasDefaultTimeouts {
            defaultMilliseconds = milliseconds
            defaultMicroseconds = cpuMicroseconds
        }
        calmMilliseconds = outcome.calmMilliseconds
        calmMicroseconds = calm
        coverage = outcome.coverage
    }

    init?(line: Substring) {
        let words = line.split(separator: " ")
        let numbers = words.compactMap { UInt64($0) }
        let count = Self.fields.count
        guard numbers.count == words.count, numbers.count == count + coverage.counts.count else {
            return nil
        }
        for (field, number) in zip(Self.fields, numbers) { self[keyPath: field] = number }
        coverage = Coverage(counts: numbers[count...].map { Int($0) })
    }

    var line: String {
        (Self.fields.map { "\(self[keyPath: $0])" } + coverage.counts.map { "\($0)" })
            .joined(separator: " ")
    }

    /// The hash is of both, in this order.
    mutating func add(_ other: Report) {
        var chain = TraceHash()
        chain.add(hash)
        chain.add(other.hash)
        for field in Self.fields { self[keyPath: field] &+= other[keyPath: field] }
        hash = chain.value
        coverage.add(other.coverage)
    }

    /// Of simulated time to a core's time: all seeds, and those with the default timeouts, under
    /// load and in calm stretches.
    var speed: String {
        let core = max(1, cpuMicroseconds)
        var text =
            "\(steps * 1_000_000 / core) events and \(milliseconds * 1000 / core) simulated "
            + "seconds for each second of a core"
        if defaultMicroseconds > calmMicroseconds, calmMicroseconds > 0 {
            let milliseconds = defaultMilliseconds - calmMilliseconds
            text +=
                "; at default timeouts "
                + "\(milliseconds * 1000 / (defaultMicroseconds - calmMicroseconds)) under load "
                + "and \(calmMilliseconds * 1000 / calmMicroseconds) in calm stretches"
        }
        return text
    }
}
