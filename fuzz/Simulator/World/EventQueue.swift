/// Events in the order of their time; of the same time, in the order in which they were added.
struct EventQueue<Event: Sendable>: Sendable {
    private struct Item: Sendable {
        var time: UInt64
        var sequence: UInt64
        var event: Event

        func isBefore(_ other: Item) -> Bool {
            (time, sequence) < (other.time, other.sequence)
        }
    }

    /// A binary heap.
    private var items: [Item] = []
    private var sequence: UInt64 = 0

    var isEmpty: Bool { items.isEmpty }

    mutating func add(_ event: Event, at time: UInt64) {
        sequence += 1
        items.append(Item(time: time, sequence: sequence, event: event))
        var child = items.count - 1
        while child > 0, case let parent = (child - 1) / 2, items[child].isBefore(items[parent]) {
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func takeNext() -> (time: UInt64, event: Event)? {
        guard !items.isEmpty else { return nil }
        items.swapAt(0, items.count - 1)
        let item = items.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < items.count && items[child].isBefore(items[least]) {
                least = child
            }
            if least == parent { return (item.time, item.event) }
            items.swapAt(least, parent)
            parent = least
        }
    }
}
