import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// Opens a connection, does TLS, and puts an `HTTP2Connection` of either role on it.
enum Dialler {
    static func dial(
        host: String, port: Int, tls: TLSClientOptions?, applicationProtocol: String,
        on loop: any EventLoop, connection: HTTP2Connection
    ) -> EventLoopFuture<any Channel> {
        let tlsContext: NIOSSLContext?
        do throws(HTTPError) {
            tlsContext = try tls?.makeContext(applicationProtocols: [applicationProtocol])
        } catch {
            return loop.makeFailedFuture(error)
        }
        let ready = loop.makePromise(of: Void.self)
        let name = tls?.verifiedName(host: host)
        let opened = ClientBootstrap(group: loop)
            .connectTimeout(.seconds(5))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: .init(low: 64 * 1024, high: 256 * 1024))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    guard let tlsContext else {
                        try pipeline.addHandler(connection)
                        return ready.succeed()
                    }
                    try pipeline.addHandler(
                        NIOSSLClientHandler(context: tlsContext, serverHostname: name))
                    try pipeline.addHandler(
                        HandshakeWaiter(ready, applicationProtocol, connection))
                }
            }
            .connect(host: host, port: port)
        opened.whenFailure { ready.fail(HTTPError(.connect, "\(host):\(port): \($0)")) }
        return opened.flatMap { channel in
            channel.closeFuture.whenComplete { _ in ready.fail(HTTPError.connectionClosed) }
            return ready.futureResult.map { channel }
        }
    }
}

/// Waits for TLS and the protocol agreed, then makes way for the connection.
private final class HandshakeWaiter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let ready: EventLoopPromise<Void>
    private let applicationProtocol: String
    private let connection: HTTP2Connection
    private var timer: Scheduled<Void>?

    init(
        _ ready: EventLoopPromise<Void>, _ applicationProtocol: String,
        _ connection: HTTP2Connection
    ) {
        self.ready = ready
        self.applicationProtocol = applicationProtocol
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let ready = ready
        timer = context.eventLoop.scheduleTask(in: .seconds(10)) {
            ready.fail(HTTPError(.tls, "TLS handshake took too long"))
            bound.value.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let name)? = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        guard name == applicationProtocol else {
            ready.fail(
                HTTPError(.tls, "the server does not speak \(applicationProtocol) on this port"))
            return context.close(promise: nil)
        }
        do {
            try context.pipeline.syncOperations.addHandler(connection)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            ready.succeed()
        } catch {
            ready.fail(error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ready.fail(HTTPError(.tls, "TLS: \(TLSFailure.text(error))"))
        context.close(promise: nil)
    }
}
