package import Basics
import NIOCore

/// An answer whose body is pulled piece by piece; a consumer that does not pull stops the sender.
package final class HTTPStreamingResponse: Sendable {
    package let status: Int
    package let headers: HTTPHeaders
    private let puller: HTTPResponsePuller

    init(status: Int, headers: HTTPHeaders, _ puller: HTTPResponsePuller) {
        self.status = status
        self.headers = headers
        self.puller = puller
    }

    deinit {
        puller.cancel()
    }

    /// The next piece of the body, nil at its end. One call at a time.
    package func next() async throws(HTTPError) -> Bytes? {
        try await puller.next()
    }

    /// Complete once `next` has answered nil.
    package var trailers: HTTPHeaders { puller.trailers }

    /// Gives the rest up.
    package func cancel() { puller.cancel() }
}

/// Holds what came until it is pulled; the window bounds how much that is.
final class HTTPResponsePuller: HTTPResponseReceiver {
    private struct State {
        var stream: (any HTTPClientStream)?
        var head: (Int, HTTPHeaders)?
        var body = Bytes()
        var end: Result<HTTPHeaders, HTTPError>?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Locked(State())

    func begin(_ stream: any HTTPClientStream) {
        state.withLock { $0.stream = stream }
    }

    func receiveHead(status: Int, headers: HTTPHeaders) {
        wake { $0.head = (status, headers) }
    }

    func receive(_ bytes: ByteBuffer) {
        wake { $0.body.append(contentsOf: bytes.readableBytesView) }
    }

    func receiveEnd(trailers: HTTPHeaders) {
        wake { $0.end = .success(trailers) }
    }

    func failed(_ error: HTTPError) {
        wake { if $0.end == nil { $0.end = .failure(error) } }
    }

    var trailers: HTTPHeaders {
        state.withLock { (try? $0.end?.get()) ?? [:] }
    }

    func cancel() {
        let stream = state.withLock { $0.end == nil ? $0.stream : nil }
        stream?.cancel()
        failed(.cancelled)
    }

    func head() async throws(HTTPError) -> (Int, HTTPHeaders) {
        while true {
            let (head, end) = state.withLock { ($0.head, $0.end) }
            if let head { return head }
            if case .failure(let error)? = end { throw error }
            if end != nil { throw HTTPError(.protocolViolation, "answer without a head") }
            await wait { $0.head != nil || $0.end != nil }
        }
    }

    func next() async throws(HTTPError) -> Bytes? {
        while true {
            let (bytes, end, stream) = state.withLock {
                let result = ($0.body, $0.end, $0.stream)
                $0.body = []
                return result
            }
            if !bytes.isEmpty {
                stream?.consumed(bytes.count)
                return bytes
            }
            switch end {
            case .success?: return nil
            case .failure(let error)?: throw error
            case nil: await wait { !$0.body.isEmpty || $0.end != nil }
            }
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiter = state.withLock {
            change(&$0)
            let waiter = $0.waiter
            $0.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    private func wait(_ isReady: @Sendable (inout State) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock {
                    if isReady(&$0) { return true }
                    $0.waiter = continuation
                    return false
                }
                if ready { continuation.resume() }
            }
        } onCancel: {
            cancel()
        }
    }
}
