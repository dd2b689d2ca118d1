import Glibc

/// A thread, or a queue with one behind it, that may be asleep while something waits for it.
package protocol Sleeper: AnyObject, Sendable {
    func wakeUp()
}

/// Wake-ups that a thread puts off until it has handed out all that it has at hand.
///
/// The kernel likes to run a thread that was just woken at once, in the place of the one that woke
/// it: woken with the first of a hundred answers, it does one, sleeps, and is woken again.
@safe package final class WakeBatch {
    private var depth = 0
    private var sleepers: [any Sleeper] = []

    /// One for each thread that ever began one.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let result = unsafe pthread_key_create(&key) { raw in
            if let raw = unsafe raw { unsafe Unmanaged<WakeBatch>.fromOpaque(raw).release() }
        }
        precondition(result == 0, "pthread_key_create: \(result)")
        return key
    }()

    private static var ofThread: WakeBatch? {
        guard let raw = unsafe pthread_getspecific(key) else { return nil }
        return unsafe Unmanaged<WakeBatch>.fromOpaque(raw).takeUnretainedValue()
    }

    /// Puts off what `body` wakes until it returns.
    package static func whole<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let batch = ofThread ?? make()
        batch.depth += 1
        defer { batch.end() }
        return try body()
    }

    /// Wakes now, or with the batch that the thread is in.
    package static func wake(_ sleeper: any Sleeper) {
        guard let batch = ofThread, batch.depth > 0 else { return sleeper.wakeUp() }
        batch.sleepers.append(sleeper)
    }

    private static func make() -> WakeBatch {
        let batch = WakeBatch()
        unsafe pthread_setspecific(key, Unmanaged.passRetained(batch).toOpaque())
        return batch
    }

    private func end() {
        depth -= 1
        guard depth == 0, !sleepers.isEmpty else { return }
        for sleeper in sleepers { sleeper.wakeUp() }
        sleepers.removeAll(keepingCapacity: true)
    }
}
