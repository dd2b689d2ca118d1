import Basics

/// The events of one commit or transaction, which watchers get whole.
struct EventGroup: Sendable {
    /// Revisions of the first and the last event; the same for an etcd transaction.
    var first: Int64
    var last: Int64
    /// In revision order. `previous` is set only if `hasPrevious`.
    var events: [Event]
    var hasPrevious: Bool
    /// About the memory that the events take.
    let bytes: Int

    init(first: Int64, last: Int64, events: [Event], hasPrevious: Bool) {
        self.first = first
        self.last = last
        self.events = events
        self.hasPrevious = hasPrevious
        bytes = events.reduce(0) { $0 + $1.bytes }
    }
}

extension Event {
    /// About the memory that the event holds.
    var bytes: Int {
        var sum = 192 + keyValue.key.count + keyValue.value.count
        if let previous { sum += previous.key.count + previous.value.count }
        return sum
    }
}
