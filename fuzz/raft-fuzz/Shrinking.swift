import Simulator

/// Shrinks a failing seed, a process for each try.
struct Shrinking {
    private let failure: Campaign.Failure
    private var shrinker: Shrinker
    /// For every worker.
    private let settings: [String]

    init(_ failure: Campaign.Failure, steps: Int, without: String, _ settings: [String]) {
        self.failure = failure
        shrinker = Shrinker(
            steps: steps, without: without.split(separator: ",").map { String($0) })
        self.settings = settings.filter { $0 != "--without" && $0 != without }
    }

    mutating func run() {
        let (failure, settings) = (failure, settings)
        shrinker.run { steps, without in
            var campaign = Campaign(first: failure.seed, count: 1, minutes: nil, processes: 1)
            campaign.arguments =
                settings + ["--steps", "\(steps)", "--without", without.joined(separator: ",")]
            _ = campaign.run()
            return campaign.failure?.code == failure.code
        }
    }

    /// Shows the seed as it is left.
    var command: String {
        let without = shrinker.without
        let words =
            ["raft-fuzz", "--seed", "\(failure.seed)", "--trace", "--steps", "\(shrinker.steps)"]
            + (without.isEmpty ? [] : ["--without", without.joined(separator: ",")])
            + settings
        return words.joined(separator: " ")
    }
}
