import Basics

/// The newest event groups, bounded by bytes. Complete from `first` on.
struct EventRing: Sendable {
    private let bytesMax: Int
    private var groups: [EventGroup] = []
    /// Groups before this index are gone.
    private var start = 0
    private var bytes = 0
    /// Every group that ends at this revision or later is here.
    private(set) var first: Int64

    init(bytesMax: Int, from first: Int64) {
        self.bytesMax = bytesMax
        self.first = first
    }

    mutating func append(_ group: EventGroup) {
        groups.append(group)
        bytes += group.bytes
        while bytes > bytesMax, start < groups.count - 1 {
            bytes -= groups[start].bytes
            first = groups[start].last + 1
            // Lets go of the events; the slot goes with the next tidying.
            groups[start].events = []
            start += 1
        }
        if start > 64, start > groups.count / 2 {
            groups.removeFirst(start)
            start = 0
        }
    }

    /// The groups that end at `revision` or later.
    func groups(from revision: Int64) -> ArraySlice<EventGroup> {
        var low = start
        var high = groups.count
        while low < high {
            let middle = (low + high) / 2
            if groups[middle].last < revision { low = middle + 1 } else { high = middle }
        }
        return groups[low...]
    }
}
