package import Basics

/// Keys that need a reconcile: each once, first come first served, with timed and backed-off
/// returns.
///
/// Time is an argument. A key that is added while it waits for a timer stays on both; the
/// earlier one wins and the timer finds nothing to do.
package struct WorkQueue<Key: Hashable & Comparable & Sendable>: Sendable {
    /// First and longest delay after failures of one key; each failure doubles it.
    package static var backOffFirst: UInt64 { 10 }
    package static var backOffLongest: UInt64 { 30_000 }

    private var ready: [Key] = []
    private var head = 0
    private var isReady: Set<Key> = []
    private var due: [Key: MonotonicTime] = [:]
    private var timers: [Timer] = []
    private var failures: [Key: Int] = [:]

    private struct Timer: Sendable {
        var time: MonotonicTime
        var key: Key

        func isEarlier(than other: Timer) -> Bool {
            time < other.time || (time == other.time && key < other.key)
        }
    }

    package init() {}

    package var isEmpty: Bool { head == ready.count }
    package var readyCount: Int { ready.count - head }
    package var timerCount: Int { due.count }

    package mutating func add(_ key: Key) {
        if isReady.insert(key).inserted { ready.append(key) }
    }

    /// Puts back a key that was taken and not worked on.
    package mutating func putBack(_ key: Key) {
        guard isReady.insert(key).inserted else { return }
        if head > 0 {
            head -= 1
            ready[head] = key
        } else {
            ready.insert(key, at: 0)
        }
    }

    /// Takes the next key that is ready.
    package mutating func take() -> Key? {
        guard head < ready.count else { return nil }
        let key = ready[head]
        head += 1
        isReady.remove(key)
        if head == ready.count {
            ready.removeAll(keepingCapacity: ready.count <= 1024)
            head = 0
        }
        return key
    }

    /// Adds the key at `time` at the latest; an earlier appointment stays.
    package mutating func add(_ key: Key, at time: MonotonicTime) {
        if let known = due[key], known <= time { return }
        due[key] = time
        push(Timer(time: time, key: key))
    }

    /// Adds the key after its back-off, which grows with each failure in a row.
    package mutating func addAfterFailure(_ key: Key, now: MonotonicTime) {
        let count = failures[key, default: 0]
        failures[key] = count + 1
        let delay = min(Self.backOffFirst << UInt64(min(count, 20)), Self.backOffLongest)
        add(key, at: now.advanced(milliseconds: delay))
    }

    package mutating func succeeded(_ key: Key) {
        failures[key] = nil
    }

    /// Moves keys whose time has come to the ready ones.
    package mutating func advance(to now: MonotonicTime) {
        while let first = timers.first, first.time <= now {
            popTimer()
            // A timer that an earlier appointment replaced is no longer in `due`.
            guard due[first.key] == first.time else { continue }
            due[first.key] = nil
            add(first.key)
        }
    }

    /// When the next timer is due, or nil.
    package mutating func nextTime() -> MonotonicTime? {
        while let first = timers.first {
            if due[first.key] == first.time { return first.time }
            popTimer()
        }
        return nil
    }

    package mutating func removeAll() {
        self = WorkQueue()
    }

    // MARK: Binary heap of timers

    private mutating func push(_ timer: Timer) {
        timers.append(timer)
        var child = timers.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard timers[child].isEarlier(than: timers[parent]) else { break }
            timers.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func popTimer() {
        timers.swapAt(0, timers.count - 1)
        timers.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < timers.count && timers[child].isEarlier(than: timers[least]) {
                least = child
            }
            guard least != parent else { return }
            timers.swapAt(parent, least)
            parent = least
        }
    }
}
