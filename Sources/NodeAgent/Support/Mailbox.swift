import Basics

/// Messages for one reader, taken in batches. Its senders bound themselves: each pod has a few
/// actions under way at most, and a store watch waits for its batch to be posted.
final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var waiter: CheckedContinuation<[Message], Never>?
    }

    private let state = Locked(State())

    func post(_ message: Message) {
        let waiter = state.withLock { state in
            guard let waiter = state.waiter else {
                state.messages.append(message)
                return nil as CheckedContinuation<[Message], Never>?
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume(returning: [message])
    }

    /// Everything posted since the last call, waiting for the first message.
    func next() async -> [Message] {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state in
                guard !state.messages.isEmpty else {
                    state.waiter = continuation
                    return nil as [Message]?
                }
                defer { state.messages = [] }
                return state.messages
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }
}
