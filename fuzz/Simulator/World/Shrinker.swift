/// Finds what a failing seed can do without: faults and weather are left out one by one, and the
/// healing begins earlier, as long as the seed still fails in the same way.
///
/// What is left out changes all later draws, so what remains is small, not smallest.
package struct Shrinker {
    private static let stepsMin = 100

    package private(set) var steps: Int
    package private(set) var without: [String]

    package init(steps: Int, without: [String]) {
        self.steps = steps
        self.without = without
    }

    package mutating func run(fails: (_ steps: Int, _ without: [String]) -> Bool) {
        for name in FaultKind.allCases.map(\.rawValue) + Scenario.weather
        where !without.contains(name) {
            if fails(steps, without + [name]) { without.append(name) }
        }
        var less = steps / 2
        while less > Self.stepsMin, fails(less, without) {
            steps = less
            less /= 2
        }
    }
}
