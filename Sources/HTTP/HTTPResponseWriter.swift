package import Basics
import NIOCore

/// The answer to one request, for asynchronous code; any thread, one caller at a time.
package final class HTTPResponseWriter: Sendable {
    private struct State {
        var hasStarted = false
        var hasFinished = false
        var isCancelled = false
        var onCancel: [@Sendable () -> Void] = []
        var waiter: CheckedContinuation<Void, any Error>?
    }

    private let stream: any HTTPServerStream
    private let state = Locked(State())

    package init(_ stream: any HTTPServerStream) {
        self.stream = stream
    }

    /// Answers in one step.
    package func respond(status: Int, headers: HTTPHeaders = [:], body: Bytes = []) {
        state.withLock {
            precondition(!$0.hasStarted, "answered twice")
            $0.hasStarted = true
            $0.hasFinished = true
        }
        var headers = headers
        if headers.first("content-length") == nil { headers.add("content-length", "\(body.count)") }
        stream.respond(
            status: status, headers: headers, body: body.isEmpty ? nil : ByteBuffer(bytes: body))
    }

    /// Begins an answer whose body follows by `write`.
    package func start(status: Int, headers: HTTPHeaders = [:]) {
        state.withLock {
            precondition(!$0.hasStarted, "answered twice")
            $0.hasStarted = true
        }
        stream.sendHead(status: status, headers: headers)
    }

    /// Sends bytes; returns when the client keeps up, throws when it is gone.
    package func write(_ bytes: Bytes) async throws {
        if isCancelled { throw HTTPError.connectionClosed }
        stream.send(ByteBuffer(bytes: bytes))
        guard !stream.isWritable else { return }
        try await withCheckedThrowingContinuation { continuation in
            let gone = state.withLock {
                if $0.isCancelled { return true }
                $0.waiter = continuation
                return false
            }
            guard !gone else { return continuation.resume(throwing: HTTPError.connectionClosed) }
            stream.whenWritable { [weak self] in self?.takeWaiter()?.resume() }
        }
    }

    /// Ends the answer; without a `start` before, it is an empty 200.
    package func finish(trailers: HTTPHeaders = [:]) {
        let (first, again) = state.withLock {
            let result = (!$0.hasStarted, $0.hasFinished)
            $0.hasStarted = true
            $0.hasFinished = true
            return result
        }
        guard !again else { return }
        if first { stream.sendHead(status: 200, headers: ["content-length": "0"]) }
        stream.end(trailers: trailers)
    }

    /// Breaks the answer off so that the client sees it as incomplete.
    package func abort() {
        state.withLock {
            $0.hasStarted = true
            $0.hasFinished = true
        }
        stream.reset()
    }

    package var hasStarted: Bool { state.withLock { $0.hasStarted } }
    package var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Calls back when the client goes away; at once if it has gone.
    package func onCancel(_ callback: @escaping @Sendable () -> Void) {
        let gone = state.withLock {
            if !$0.isCancelled { $0.onCancel.append(callback) }
            return $0.isCancelled
        }
        if gone { callback() }
    }

    func cancel() {
        let (callbacks, waiter) = state.withLock {
            $0.isCancelled = true
            let result = ($0.onCancel, $0.waiter)
            $0.onCancel = []
            $0.waiter = nil
            return result
        }
        waiter?.resume(throwing: HTTPError.connectionClosed)
        for callback in callbacks { callback() }
    }

    private func takeWaiter() -> CheckedContinuation<Void, any Error>? {
        state.withLock {
            let waiter = $0.waiter
            $0.waiter = nil
            return waiter
        }
    }
}
