package import Basics
package import NIOCore

/// A request to send over an `HTTPClientConnection`.
package struct HTTPClientRequest: Sendable {
    package var method: String
    /// Path and query as they go out.
    package var target: String
    package var headers: HTTPHeaders
    /// The host dialled if nil.
    package var authority: String?

    package init(
        method: String = "GET", target: String, headers: HTTPHeaders = [:],
        authority: String? = nil
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.authority = authority
    }
}

/// A whole answer.
package struct HTTPClientResponse: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: Bytes
    package var trailers: HTTPHeaders

    package init(status: Int, headers: HTTPHeaders, body: Bytes, trailers: HTTPHeaders) {
        self.status = status
        self.headers = headers
        self.body = body
        self.trailers = trailers
    }
}

/// Gets one answer, on the connection's event loop. Ends with exactly one of `receiveEnd` and
/// `failed`.
package protocol HTTPResponseReceiver: AnyObject, Sendable {
    func receiveHead(status: Int, headers: HTTPHeaders)
    /// Bytes of the body; they are given back with `HTTPClientStream.consumed`.
    func receive(_ bytes: ByteBuffer)
    func receiveEnd(trailers: HTTPHeaders)
    func failed(_ error: HTTPError)
}

/// The asking half of one request; any thread.
package protocol HTTPClientStream: AnyObject, Sendable {
    var eventLoop: any EventLoop { get }
    func send(_ bytes: ByteBuffer)
    var bufferedBytes: Int { get }
    func whenWritable(_ callback: @escaping @Sendable () -> Void)
    /// The request is complete; the answer may still come.
    func end()
    /// Gives the request up: RST_STREAM. The receiver gets `failed`.
    func cancel()
    func consumed(_ count: Int)
}
