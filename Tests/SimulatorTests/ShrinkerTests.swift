import Simulator
import Testing

@Suite struct ShrinkerTests {
    /// The failure needs power cuts, loss and 900 steps.
    @Test func leavesOutWhatIsNotNeeded() {
        var tries = 0
        var shrinker = Shrinker(steps: 8_000, without: ["churn"])
        shrinker.run { steps, without in
            tries += 1
            return steps >= 900 && !without.contains("powerCut") && !without.contains("loss")
        }
        let all = FaultKind.allCases.map(\.rawValue) + Scenario.weather
        let left = all.filter { !shrinker.without.contains($0) }
        #expect(left == ["powerCut", "loss"])
        #expect(shrinker.without.first == "churn")
        #expect(shrinker.steps == 1_000)
        #expect(tries == all.count - 1 + 4)
    }

    @Test func keepsAllThatIsNeeded() {
        var shrinker = Shrinker(steps: 300, without: [])
        shrinker.run { steps, without in steps == 300 && without.isEmpty }
        #expect(shrinker.without == [])
        #expect(shrinker.steps == 300)
    }
}
