package import Basics
package import NIOCore

/// One HTTP/2 connection to one server. Any thread.
package final class HTTPClientConnection: Sendable {
    private let connection: HTTP2Connection
    private let channel: any Channel

    init(_ connection: HTTP2Connection, _ channel: any Channel) {
        self.connection = connection
        self.channel = channel
    }

    package static func connect(
        host: String, port: Int, tls: TLSClientOptions? = nil, group: any EventLoopGroup,
        limits: HTTPLimits = HTTPLimits()
    ) async throws(HTTPError) -> HTTPClientConnection {
        let loop = group.next()
        do {
            return try await dial(host: host, port: port, tls: tls, on: loop, limits: limits).get()
        } catch let error as HTTPError {
            throw error
        } catch {
            throw HTTPError(.connect, "\(host):\(port): \(error)")
        }
    }

    static func dial(
        host: String, port: Int, tls: TLSClientOptions?, on loop: any EventLoop,
        limits: HTTPLimits
    ) -> EventLoopFuture<HTTPClientConnection> {
        let connection = HTTP2Connection(
            mailbox: LoopMailbox(loop), limits: limits, service: nil, authority: "\(host):\(port)",
            scheme: tls == nil ? "http" : "https")
        return Dialler.dial(
            host: host, port: port, tls: tls, applicationProtocol: "h2", on: loop,
            connection: connection
        ).map { HTTPClientConnection(connection, $0) }
    }

    package var eventLoop: any EventLoop { connection.eventLoop }

    /// Sends a request. The receiver is told of the answer on the event loop.
    package func open(
        _ request: HTTPClientRequest, endsRequest: Bool, receiver: any HTTPResponseReceiver
    ) -> any HTTPClientStream {
        let stream = HTTP2Stream(connection, id: 0)
        connection.perform(.open(request, endsRequest: endsRequest, receiver), on: stream)
        return stream
    }

    /// Sends a request and waits for the whole answer. Cancelling the task gives the request up.
    package func request(
        _ request: HTTPClientRequest, body: Bytes = [], bodyBytesMax: Int = 64 << 20
    ) async throws(HTTPError) -> HTTPClientResponse {
        let response = try await streaming(request, body: body)
        var bytes = Bytes()
        while let next = try await response.next() {
            guard bytes.count + next.count <= bodyBytesMax else {
                response.cancel()
                throw HTTPError(.tooLarge, "answer over \(bodyBytesMax) bytes")
            }
            bytes += next
        }
        return HTTPClientResponse(
            status: response.status, headers: response.headers, body: bytes,
            trailers: response.trailers)
    }

    /// Sends a request and answers when the head of the response is there; its body is pulled.
    package func streaming(
        _ request: HTTPClientRequest, body: Bytes = []
    ) async throws(HTTPError) -> HTTPStreamingResponse {
        let puller = HTTPResponsePuller()
        var request = request
        if !body.isEmpty { request.headers.set("content-length", "\(body.count)") }
        let stream = open(request, endsRequest: body.isEmpty, receiver: puller)
        puller.begin(stream)
        if !body.isEmpty {
            stream.send(ByteBuffer(bytes: body))
            stream.end()
        }
        let (status, headers) = try await puller.head()
        return HTTPStreamingResponse(status: status, headers: headers, puller)
    }

    /// False once the connection is gone; true says little.
    package var isOpen: Bool { channel.isActive }

    /// Whether a request can be made now; on the event loop.
    var takesRequests: Bool { !connection.isClosed && !connection.isGoingAway }

    /// Calls back on the event loop when the connection has closed; at once if it has.
    package func onClose(_ callback: @escaping @Sendable () -> Void) {
        channel.closeFuture.whenComplete { _ in callback() }
    }

    package func close() {
        connection.eventLoop.execute { self.connection.close() }
    }
}
