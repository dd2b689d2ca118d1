import Basics
import Glibc

/// A queue from any thread to one, drained in batches: one wake-up per batch.
///
/// Bounded: `send` refuses above the limit, so that a fast producer hears about it. What must not
/// get lost (acknowledgements of our own threads) is sent with `sendAlways`; its number is bounded
/// by what those threads were given to do.
@safe final class Mailbox<Element: Sendable>: Sleeper, @unchecked Sendable {
    // Sendable because everything below is touched only with the mutex held.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var items: [Element] = []
    /// Items before this one are taken; only `takeOne` moves it.
    private var head = 0
    private var waiters = 0
    /// Waiters that have been woken and have not run yet.
    private var woken = 0
    private let limit: Int
    private var isClosed = false

    init(limit: Int) {
        self.limit = limit
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition = .allocate(capacity: 1)
        unsafe condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// False when the queue is full. What `canWait` is taken with what comes next, or at the
    /// taker's deadline.
    func send(_ item: Element, canWait: Bool = false) -> Bool {
        unsafe pthread_mutex_lock(mutex)
        guard items.count - head < limit, !isClosed else {
            unsafe pthread_mutex_unlock(mutex)
            return false
        }
        items.append(item)
        unlockAndWake(unless: canWait)
        return true
    }

    func sendAlways(_ item: Element) {
        unsafe pthread_mutex_lock(mutex)
        if !isClosed { items.append(item) }
        unlockAndWake()
    }

    /// Takes what waits, and refuses everything from now on.
    func close() -> [Element] {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        isClosed = true
        defer { items = [] }
        return items
    }

    /// Whoever is woken needs the mutex: it is given back before.
    private func unlockAndWake(unless canWait: Bool = false) {
        let wakes = !canWait && !items.isEmpty && waiters > woken
        if wakes { woken += 1 }
        unsafe pthread_mutex_unlock(mutex)
        if wakes { WakeBatch.wake(self) }
    }

    func wakeUp() { unsafe pthread_cond_signal(condition) }

    /// Waits once; false when the time is up.
    private func wait(until deadline: MonotonicTime?) -> Bool {
        waiters += 1
        defer {
            waiters -= 1
            woken = max(0, woken - 1)
        }
        guard let deadline else {
            return unsafe pthread_cond_wait(condition, mutex) == 0
        }
        var time = timespec(
            tv_sec: Int(deadline.nanoseconds / 1_000_000_000),
            tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
        return unsafe pthread_cond_timedwait(condition, mutex, &time) != ETIMEDOUT
    }

    /// Puts everything that waits into `batch`, which is emptied first. Waits for something to
    /// come, until `deadline` if there is one; the batch is empty if nothing came.
    func take(into batch: inout [Element], until deadline: MonotonicTime? = nil) {
        batch.removeAll(keepingCapacity: true)
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while items.isEmpty {
            guard wait(until: deadline) else { break }
        }
        swap(&batch, &items)
    }

    /// Takes the oldest item, for several threads that share a queue.
    func takeOne() -> Element {
        unsafe pthread_mutex_lock(mutex)
        while head == items.count { _ = wait(until: nil) }
        let item = items[head]
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        }
        unlockAndWake()
        return item
    }
}
