/// Decides whether a history of one register has an order that explains all outcomes.
///
/// The algorithm of Wing and Gong with Lowe's memory of configurations already seen, as in
/// porcupine: try operations that could be first, undo when an operation returned that has no
/// place yet. An operation of unknown outcome never returns, so it may stand anywhere after its
/// call, the very end included, where it explains nothing and harms nothing.
package enum Linearizability {
    package enum Verdict: Sendable, Hashable {
        case linearizable
        case violation(String)
        /// Too many configurations to decide.
        case undecided
    }

    package static func check(
        _ history: [RegisterOperation], configurationsMax: Int = 1_000_000
    ) -> Verdict {
        var search = Search(history)
        return search.run(configurationsMax: configurationsMax)
    }
}

/// A configuration: which operations have their place, and the value after them.
private struct Configuration: Hashable {
    var placed: [UInt64]
    var value: Int
}

private struct Search {
    private let history: [RegisterOperation]
    /// Calls and returns in order, as a linked list: node 0 is the head; operation i is called at
    /// node `callNode[i]` and returns at `returnNode[i]`.
    private var next: [Int]
    private var previous: [Int]
    private let operationAt: [Int]
    private let isCall: [Bool]
    private let returnNode: [Int]
    private var current: Configuration
    private var seen: Set<Configuration> = []
    /// Operations in the order tried, with the value before each.
    private var stack: [(node: Int, value: Int)] = []
    private var longest: [Int] = []

    init(_ history: [RegisterOperation]) {
        self.history = history
        var events: [(position: Int, operation: Int, isCall: Bool)] = []
        for (index, operation) in history.enumerated() {
            events.append((operation.called, index, true))
            events.append((operation.returned, index, false))
        }
        events.sort { ($0.position, $0.operation) < ($1.position, $1.operation) }
        operationAt = [-1] + events.map(\.operation)
        isCall = [false] + events.map(\.isCall)
        next = (0...events.count).map { $0 < events.count ? $0 + 1 : -1 }
        previous = (0...events.count).map { $0 - 1 }
        var returns = [Int](repeating: 0, count: history.count)
        for (index, event) in events.enumerated() where !event.isCall {
            returns[event.operation] = index + 1
        }
        returnNode = returns
        current = Configuration(
            placed: [UInt64](repeating: 0, count: (history.count + 63) / 64), value: 0)
    }

    mutating func run(configurationsMax: Int) -> Linearizability.Verdict {
        var node = next[0]
        while next[0] != -1 {
            if seen.count > configurationsMax { return .undecided }
            if node != -1, isCall[node] {
                node = place(node) ? next[0] : next[node]
                continue
            }
            // Everything that returned before has been tried first.
            guard let (last, value) = stack.popLast() else { return .violation(explanation) }
            putBack(last)
            current.value = value
            mark(operationAt[last], isPlaced: false)
            node = next[last]
        }
        return .linearizable
    }

    private mutating func place(_ node: Int) -> Bool {
        let operation = operationAt[node]
        guard let value = history[operation].applied(to: current.value) else { return false }
        let before = current.value
        current.value = value
        mark(operation, isPlaced: true)
        guard seen.insert(current).inserted else {
            current.value = before
            mark(operation, isPlaced: false)
            return false
        }
        stack.append((node, before))
        if stack.count > longest.count { longest = stack.map { operationAt[$0.node] } }
        unlink(node)
        unlink(returnNode[operation])
        return true
    }

    private mutating func mark(_ operation: Int, isPlaced: Bool) {
        let bit = UInt64(1) << UInt64(operation % 64)
        if isPlaced {
            current.placed[operation / 64] |= bit
        } else {
            current.placed[operation / 64] &= ~bit
        }
    }

    private mutating func unlink(_ node: Int) {
        next[previous[node]] = next[node]
        if next[node] != -1 { previous[next[node]] = previous[node] }
    }

    private mutating func putBack(_ node: Int) {
        for node in [returnNode[operationAt[node]], node] {
            next[previous[node]] = node
            if next[node] != -1 { previous[next[node]] = node }
        }
    }

    /// The longest order found, and the known operations that it leaves over.
    private var explanation: String {
        let value = longest.reduce(0) { value, index in
            history[index].applied(to: value) ?? value
        }
        let left = history.indices.filter { index in
            history[index].outcome != .unknown && !longest.contains(index)
        }
        .sorted { history[$0].called < history[$1].called }
        let order = longest.suffix(6).map { describe(history[$0]) }.joined(separator: "; ")
        let rest = left.prefix(6).map { describe(history[$0]) }.joined(separator: "; ")
        return "no order explains the outcomes. After [\(order)] the value is \(value), "
            + "and then there is no place for [\(rest)]"
    }

    private func describe(_ operation: RegisterOperation) -> String {
        let end = operation.returned == Int.max ? "never" : "\(operation.returned)"
        return "client \(operation.client) \(operation.action) -> \(operation.outcome)"
            + " (\(operation.called) to \(end))"
    }
}
