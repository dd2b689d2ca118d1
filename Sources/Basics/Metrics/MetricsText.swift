/// Adds its metrics to a page, when somebody asks for it.
package protocol MetricSource: Sendable {
    func write(to text: inout MetricsText)
}

/// Prometheus' text format, made of what the sources hold at the moment.
///
/// Families are sorted by name, whoever adds them, and each stands in one place.
package struct MetricsText {
    package enum Kind: String {
        case counter, gauge, histogram
    }

    private struct Family {
        var head: String
        var samples: String
    }

    private var families: [String: Family] = [:]

    package init() {}

    package init(of sources: [any MetricSource]) {
        for source in sources { source.write(to: &self) }
    }

    package mutating func counter(_ name: String, _ help: String, _ counter: Counter) {
        sample(name, .counter, help, value: "\(counter.value)")
    }

    package mutating func gauge(_ name: String, _ help: String, _ value: some BinaryInteger) {
        sample(name, .gauge, help, value: "\(value)")
    }

    package mutating func gauge(_ name: String, _ help: String, _ isSo: Bool) {
        gauge(name, help, isSo ? 1 : 0)
    }

    /// - Parameter labels: As they stand between the braces: `a="1",b="2"`.
    package mutating func sample(
        _ name: String, _ kind: Kind, _ help: String, labels: String = "", value: String
    ) {
        open(name, kind, help)
        families[name]?.samples += Self.line(name, labels, value)
    }

    /// With an empty histogram the family is there, and says nothing.
    package mutating func histogram(
        _ name: String, _ help: String, labels: String = "", _ histogram: Histogram
    ) {
        open(name, .histogram, help)
        let comma = labels.isEmpty ? "" : ","
        let counts = histogram.cumulative
        var samples = ""
        for (position, count) in counts.enumerated() {
            let bound =
                position < histogram.bounds.count
                ? Self.number(histogram.bounds[position]) : "+Inf"
            samples += Self.line("\(name)_bucket", "\(labels)\(comma)le=\"\(bound)\"", "\(count)")
        }
        samples += Self.line("\(name)_sum", labels, Self.number(histogram.seconds))
        samples += Self.line("\(name)_count", labels, "\(counts[counts.count - 1])")
        families[name]?.samples += samples
    }

    private mutating func open(_ name: String, _ kind: Kind, _ help: String) {
        guard families[name] == nil else { return }
        families[name] = Family(
            head: "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n", samples: "")
    }

    private static func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// As etcd writes numbers: whole ones without a fraction.
    package static func number(_ value: Double) -> String {
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    package var text: String {
        families.keys.sorted().map { name in
            families[name].map { $0.head + $0.samples } ?? ""
        }.joined()
    }
}
