import Basics
import Keyspace

/// Where the store's callbacks leave word for a host's task, which takes it one at a time.
final class Mailbox: Sendable {
    enum Message: Sendable {
        case batch(Result<WatchBatch, StoreError>)
        /// The leadership is gone; nothing more may be committed under it.
        case lost
    }

    private struct State {
        var batch: Result<WatchBatch, StoreError>?
        var isLost = false
        var isWoken = false
        var waiter: CheckedContinuation<Void, Never>?

        mutating func takeMessage() -> Message? {
            if isLost { return .lost }
            defer { batch = nil }
            return batch.map(Message.batch)
        }

        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            defer { waiter = nil }
            return waiter
        }
    }

    private let state = Locked(State())

    func post(_ batch: Result<WatchBatch, StoreError>) {
        let waiter = state.withLock { state in
            state.batch = batch
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    func postLost() {
        let waiter = state.withLock { state in
            state.isLost = true
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    /// Makes the pending or next wait return.
    func wake() {
        let waiter = state.withLock { state in
            state.isWoken = true
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    /// What is there now, without waiting.
    func poll() -> Message? {
        state.withLock { $0.takeMessage() }
    }

    /// Waits for a message, the time (nil: for ever) or cancellation; may return nil early.
    func take(until time: MonotonicTime?) async -> Message? {
        if let message = poll() { return message }
        guard let time else {
            await wait()
            return poll()
        }
        let now = MonotonicTime.now()
        guard now < time else { return nil }
        let delay = Duration.nanoseconds(time.nanoseconds - now.nanoseconds)
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await Task.sleep(for: delay)
                    self.wake()
                } catch {
                    // Cancelled: the message came first.
                }
            }
            await wait()
            group.cancelAll()
            return poll()
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if state.batch != nil || state.isLost || state.isWoken {
                        state.isWoken = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
        state.withLock { $0.isWoken = false }
    }
}
