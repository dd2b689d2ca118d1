import Basics
import Simulator
import Testing

/// The checker against histories made by hand, and against trying every order.
@Suite struct LinearizabilityTests {
    typealias Operation = RegisterOperation

    @Test func sequence() {
        expectGood([
            Operation(client: 1, .write(1), .written(previous: 0), called: 1, returned: 2),
            Operation(client: 1, .read, .read(1), called: 3, returned: 4),
            Operation(
                client: 1, .compareAndSet(expected: 1, new: 2), .compared(succeeded: true),
                called: 5, returned: 6),
            Operation(
                client: 1, .compareAndSet(expected: 1, new: 3), .compared(succeeded: false),
                called: 7, returned: 8),
            Operation(client: 1, .write(0), .written(previous: 2), called: 9, returned: 10),
            Operation(client: 1, .read, .read(0), called: 11, returned: 12),
        ])
    }

    @Test func staleRead() {
        expectBad([
            Operation(client: 1, .write(1), .written(previous: nil), called: 1, returned: 2),
            Operation(client: 1, .write(2), .written(previous: nil), called: 3, returned: 4),
            Operation(client: 2, .read, .read(1), called: 5, returned: 6),
        ])
    }

    @Test func readsGoBack() {
        // The write is under way: one read may see it, but a later one must then, too.
        expectBad([
            Operation(client: 1, .write(1), .written(previous: nil), called: 1, returned: 10),
            Operation(client: 2, .read, .read(1), called: 2, returned: 3),
            Operation(client: 3, .read, .read(0), called: 4, returned: 5),
        ])
    }

    @Test func concurrentReadsMayDiffer() {
        expectGood([
            Operation(client: 1, .write(1), .written(previous: nil), called: 1, returned: 10),
            Operation(client: 2, .read, .read(1), called: 2, returned: 5),
            Operation(client: 3, .read, .read(0), called: 3, returned: 6),
        ])
    }

    @Test func lostWrite() {
        expectBad([
            Operation(client: 1, .write(1), .written(previous: 0), called: 1, returned: 2),
            Operation(client: 2, .write(2), .written(previous: 0), called: 3, returned: 4),
        ])
    }

    @Test func twoWinners() {
        expectBad([
            Operation(client: 1, .write(1), .written(previous: nil), called: 1, returned: 2),
            Operation(
                client: 2, .compareAndSet(expected: 1, new: 2), .compared(succeeded: true),
                called: 3, returned: 6),
            Operation(
                client: 3, .compareAndSet(expected: 1, new: 3), .compared(succeeded: true),
                called: 4, returned: 5),
        ])
    }

    @Test func valueFromNowhere() {
        expectBad([Operation(client: 1, .read, .read(7), called: 1, returned: 2)])
    }

    @Test func valueFromTheFuture() {
        expectBad([
            Operation(client: 1, .read, .read(1), called: 1, returned: 2),
            Operation(client: 2, .write(1), .written(previous: nil), called: 3, returned: 4),
        ])
    }

    @Test func unknownWriteMayComeLateOrNever() {
        let unknown = Operation(client: 1, .write(1), .unknown, called: 1)
        for seen in [0, 1] {
            expectGood([
                unknown, Operation(client: 2, .read, .read(seen), called: 50, returned: 51),
            ])
        }
        // But not come, go and come again.
        expectBad([
            unknown,
            Operation(client: 2, .read, .read(1), called: 2, returned: 3),
            Operation(client: 2, .write(2), .written(previous: nil), called: 4, returned: 5),
            Operation(client: 2, .read, .read(1), called: 6, returned: 7),
        ])
    }

    @Test func unknownCompareNeedsItsValue() {
        let unknown = Operation(
            client: 1, .compareAndSet(expected: 5, new: 6), .unknown, called: 1)
        expectBad([unknown, Operation(client: 2, .read, .read(6), called: 2, returned: 3)])
        expectGood([
            unknown,
            Operation(client: 2, .write(5), .written(previous: nil), called: 2, returned: 3),
            Operation(client: 2, .read, .read(6), called: 4, returned: 5),
        ])
    }

    @Test func emptyHistory() { expectGood([]) }

    @Test func tooManyConfigurationsAreUndecided() {
        let history =
            (1...12).map { Operation(client: $0, .write($0), .unknown, called: $0) } + [
                Operation(client: 99, .read, .read(77), called: 20, returned: 21)
            ]
        #expect(Linearizability.check(history, configurationsMax: 100) == .undecided)
    }

    /// Random small histories: the verdict is that of trying every order.
    @Test func agreesWithBruteForce() {
        var random = SeededRandom(seed: 7)
        var verdicts = [0, 0]
        for _ in 0..<3000 {
            let history = randomHistory(&random)
            let expected = existsOrder(history, value: 0)
            verdicts[expected ? 1 : 0] += 1
            let isGood = Linearizability.check(history) == .linearizable
            #expect(isGood == expected, "\(history)")
        }
        #expect(verdicts.allSatisfy { $0 > 300 }, "histories are too much of one kind")
    }

    private func randomHistory(_ random: inout SeededRandom) -> [Operation] {
        var positions = Array(0..<12).shuffled(using: &random)
        return (0..<(2 + random.below(4))).map { client in
            let first = positions.removeLast()
            let second = positions.removeLast()
            let (action, outcome) = randomStep(&random)
            return Operation(
                client: client, action, random.chance(1, in: 6) ? .unknown : outcome,
                called: min(first, second), returned: max(first, second))
        }
    }

    private func randomStep(
        _ random: inout SeededRandom
    ) -> (Operation.Action, Operation.Outcome) {
        switch random.below(4) {
        case 0: (.read, .read(random.below(3)))
        case 1: (.write(random.below(3)), .written(previous: nil))
        case 2: (.write(random.below(3)), .written(previous: random.below(3)))
        default:
            (
                .compareAndSet(expected: random.below(3), new: random.below(3)),
                .compared(succeeded: random.chance(1, in: 2))
            )
        }
    }

    /// Tries every operation that no remaining known operation precedes.
    private func existsOrder(_ left: [Operation], value: Int) -> Bool {
        if left.allSatisfy({ $0.outcome == .unknown }) { return true }
        let firstReturn = left.map(\.returned).min() ?? Int.max
        for (index, operation) in left.enumerated() where operation.called < firstReturn {
            guard let next = model(operation, value) else { continue }
            var rest = left
            rest.remove(at: index)
            if existsOrder(rest, value: next) { return true }
        }
        return false
    }

    /// The register written down a second time.
    private func model(_ operation: Operation, _ value: Int) -> Int? {
        switch operation.action {
        case .read:
            if case .read(let seen) = operation.outcome, seen != value { return nil }
            return value
        case .write(let new):
            if case .written(let previous?) = operation.outcome, previous != value { return nil }
            return new
        case .compareAndSet(let expected, let new):
            let holds = expected == value
            if case .compared(let succeeded) = operation.outcome, succeeded != holds { return nil }
            return holds ? new : value
        }
    }

    private func expectGood(_ history: [Operation]) {
        #expect(Linearizability.check(history) == .linearizable)
    }

    private func expectBad(_ history: [Operation]) {
        guard case .violation = Linearizability.check(history) else {
            Issue.record("accepted: \(history)")
            return
        }
    }
}
