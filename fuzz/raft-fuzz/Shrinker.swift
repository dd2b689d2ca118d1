import Simulator

/// Finds what a failing seed can do without: faults and weather are left out one by one, and the
/// healing begins earlier, as long as the seed still fails in the same way.
///
/// What is left out changes all later draws, so what remains is small, not smallest.
struct Shrinker {
    private let failure: Campaign.Failure
    private var steps: Int
    private var without: [String]
    /// For every worker.
    private let settings: [String]

    init(_ failure: Campaign.Failure, steps: Int, without: String, _ settings: [String]) {
        self.failure = failure
        self.steps = steps
        self.without = without.split(separator: ",").map { String($0) }
        self.settings = settings.filter { $0 != "--without" && $0 != without }
    }

    mutating func run() {
        for name in FaultKind.allCases.map(\.rawValue) + Scenario.weather
        where !without.contains(name) {
            if fails(steps, without + [name]) { without.append(name) }
        }
        var less = steps / 2
        while less > 100, fails(less, without) {
            steps = less
            less /= 2
        }
    }

    private func fails(_ steps: Int, _ without: [String]) -> Bool {
        var campaign = Campaign(first: failure.seed, count: 1, minutes: nil, processes: 1)
        campaign.arguments =
            settings + ["--steps", "\(steps)", "--without", without.joined(separator: ",")]
        _ = campaign.run()
        return campaign.failure?.code == failure.code
    }

    /// Shows the seed as it is left.
    var command: String {
        let words =
            ["raft-fuzz", "--seed", "\(failure.seed)", "--trace", "--steps", "\(steps)"]
            + (without.isEmpty ? [] : ["--without", without.joined(separator: ",")])
            + settings
        return words.joined(separator: " ")
    }
}
