/// Decides whether a history of the keyspace has an order that explains all answers and keeps to
/// real time: what returned before another was called comes before it.
///
/// The algorithm of Wing and Gong with Lowe's memory of configurations already seen, as in
/// porcupine: try operations that could be first, undo when an operation returned that has no
/// place yet. The model is the whole keyspace, because transactions and ranges touch many keys;
/// the revision in every answer keeps the search narrow.
package enum StrictSerializability {
    package enum Verdict: Sendable, Hashable {
        case serializable
        case violation(String)
        /// Too many configurations to decide.
        case undecided
    }

    package static func check(
        _ history: [HistoryOperation], configurationsMax: Int = 300_000
    ) -> Verdict {
        var search = Search(history)
        return search.run(configurationsMax: configurationsMax)
    }
}

/// Which operations have their place, as the sum of their marks, and the state after them.
private struct Configuration: Hashable {
    var placed: UInt64
    var state: UInt64
}

private struct Search {
    private let history: [HistoryOperation]
    /// Calls and returns in order, as a linked list: node 0 is the head; operation i returns at
    /// node `returnNode[i]`.
    private var next: [Int]
    private var previous: [Int]
    private let operationAt: [Int]
    private let isCall: [Bool]
    private let returnNode: [Int]
    private let marks: [UInt64]
    private var placed: UInt64 = 0
    private var model = ModelKeyspace()
    private var seen: Set<Configuration> = []
    /// Operations in the order tried, with the state before each.
    private var stack: [(node: Int, model: ModelKeyspace)] = []
    private var longest: [Int] = []

    init(_ history: [HistoryOperation]) {
        self.history = history
        var events: [(position: Int, operation: Int, isCall: Bool)] = []
        for (index, operation) in history.enumerated() {
            events.append((operation.called, index, true))
            events.append((operation.returned, index, false))
        }
        // A call at the position of another's return overlaps it.
        events.sort {
            ($0.position, $0.isCall ? 0 : 1, $0.operation)
                < ($1.position, $1.isCall ? 0 : 1, $1.operation)
        }
        operationAt = [-1] + events.map(\.operation)
        isCall = [false] + events.map(\.isCall)
        next = (0...events.count).map { $0 < events.count ? $0 + 1 : -1 }
        previous = (0...events.count).map { $0 - 1 }
        var returns = [Int](repeating: 0, count: history.count)
        for (index, event) in events.enumerated() where !event.isCall {
            returns[event.operation] = index + 1
        }
        returnNode = returns
        marks = history.indices.map { index in
            var mark = TraceHash()
            mark.add(UInt64(index))
            return mark.value
        }
    }

    mutating func run(configurationsMax: Int) -> StrictSerializability.Verdict {
        var node = next[0]
        while next[0] != -1 {
            if seen.count > configurationsMax { return .undecided }
            if node != -1, isCall[node] {
                node = place(node) ? next[0] : next[node]
                continue
            }
            // Everything that could come before has been tried.
            if stack.count > longest.count { longest = stack.map { operationAt[$0.node] } }
            guard let (last, before) = stack.popLast() else { return .violation(explanation) }
            putBack(last)
            model = before
            placed &-= marks[operationAt[last]]
            node = next[last]
        }
        return .serializable
    }

    private mutating func place(_ node: Int) -> Bool {
        let operation = operationAt[node]
        var after = model
        guard history[operation].apply(to: &after) else { return false }
        let mark = marks[operation]
        let configuration = Configuration(placed: placed &+ mark, state: after.digest)
        guard seen.insert(configuration).inserted else { return false }
        stack.append((node, model))
        model = after
        placed &+= mark
        unlink(node)
        unlink(returnNode[operation])
        return true
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

    /// The end of the longest order found, and the operations that then have no place.
    private var explanation: String {
        var model = ModelKeyspace()
        for index in longest { _ = history[index].apply(to: &model) }
        let done = Set(longest)
        let left = history.indices.filter { !done.contains($0) && history[$0].outcome != .unknown }
            .sorted { history[$0].called < history[$1].called }
        let order = longest.suffix(5).map { describe(history[$0]) }.joined(separator: "; ")
        let rest = left.prefix(5).map { describe(history[$0]) }.joined(separator: "; ")
        return "strict serializability: no order explains the answers. After [\(order)] the "
            + "revision is \(model.revision), and then there is no place for [\(rest)]"
    }

    private func describe(_ operation: HistoryOperation) -> String {
        let end = operation.returned == Int.max ? "never" : "\(operation.returned)"
        return "\(operation.name) (\(operation.called) to \(end))"
    }
}
