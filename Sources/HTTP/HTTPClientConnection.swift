package import Basics
package import NIOCore

/// One HTTP/2 connection to one server.
package final class HTTPClientConnection: Sendable {
    package static func connect(
        host: String, port: Int, tls: TLSClientOptions? = nil, group: any EventLoopGroup,
        limits: HTTPLimits = HTTPLimits()
    ) async throws(HTTPError) -> HTTPClientConnection {
        fatalError("coming")
    }

    /// Sends a request; any thread. The receiver is told of the answer on the event loop.
    package func open(
        _ request: HTTPClientRequest, endsRequest: Bool, receiver: any HTTPResponseReceiver
    ) -> any HTTPClientStream {
        fatalError("coming")
    }

    /// Sends a request and waits for the whole answer.
    package func request(
        _ request: HTTPClientRequest, body: Bytes = [], bodyBytesMax: Int = 64 << 20
    ) async throws(HTTPError) -> HTTPClientResponse {
        fatalError("coming")
    }

    /// Sends a request and answers when the head of the response is there; its body is pulled.
    package func streaming(
        _ request: HTTPClientRequest, body: Bytes = []
    ) async throws(HTTPError) -> HTTPStreamingResponse {
        fatalError("coming")
    }

    package var isOpen: Bool { fatalError("coming") }
    package func onClose(_ callback: @escaping @Sendable () -> Void) { fatalError("coming") }
    package func close() { fatalError("coming") }
}

/// An answer whose body is pulled piece by piece; a consumer that does not pull stops the sender.
package final class HTTPStreamingResponse: Sendable {
    package let status: Int
    package let headers: HTTPHeaders

    init(status: Int, headers: HTTPHeaders) {
        self.status = status
        self.headers = headers
    }

    /// The next piece of the body, nil at its end. One call at a time.
    package func next() async throws(HTTPError) -> Bytes? { fatalError("coming") }
    /// Gives the rest up.
    package func cancel() { fatalError("coming") }
}
