/// Events in the order of their time; of the same time, in the order in which they were added.
struct EventQueue<Event: Sendable>: Sendable {
    /// Plain numbers, so that moving them about costs nothing; the events stay where they are.
    private struct Item: Sendable {
        var time: UInt64
        var sequence: UInt64
        var slot: Int

        func isBefore(_ other: Item) -> Bool {
            time < other.time || time == other.time && sequence < other.sequence
        }
    }

    /// A binary heap.
    private var items: [Item] = []
    private var sequence: UInt64 = 0
    private var events: [Event?] = []
    private var freeSlots: [Int] = []

    /// When the next event is due; nil if there is none.
    var nextTime: UInt64? { items.first?.time }

    mutating func add(_ event: Event, at time: UInt64) {
        sequence += 1
        let item = Item(time: time, sequence: sequence, slot: freeSlots.popLast() ?? events.count)
        if item.slot == events.count {
            events.append(event)
        } else {
            events[item.slot] = event
        }
        items.append(item)
        var child = items.count - 1
        while child > 0, case let parent = (child - 1) / 2, item.isBefore(items[parent]) {
            items[child] = items[parent]
            child = parent
        }
        items[child] = item
    }

    mutating func takeNext() -> (time: UInt64, event: Event)? {
        guard let first = items.first, let item = items.popLast() else { return nil }
        if !items.isEmpty { sink(item) }
        freeSlots.append(first.slot)
        guard let event = events[first.slot].take() else { return nil }
        return (first.time, event)
    }

    /// Puts an item in the place of the first.
    private mutating func sink(_ item: Item) {
        var place = 0
        while case var child = 2 * place + 1, child < items.count {
            if child + 1 < items.count, items[child + 1].isBefore(items[child]) { child += 1 }
            guard items[child].isBefore(item) else { break }
            items[place] = items[child]
            place = child
        }
        items[place] = item
    }
}
