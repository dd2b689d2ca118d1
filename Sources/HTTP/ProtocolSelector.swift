import NIOCore
import NIOHTTP1
import NIOSSL
import NIOTLS

/// Stands first on an accepted connection: after TLS and ALPN, or after the first bytes on a
/// plaintext port, it puts the handler of the protocol spoken in its place.
final class ProtocolSelector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    /// The tunnel's name in ALPN: what dials in is asked, not served.
    static let tunnelProtocol = "martlet-agent/1"
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let server: HTTPServerCore
    private let isTLS: Bool
    private var pending = ByteBuffer()
    private var peer: PeerIdentity?
    private var isDecided = false
    private var sniffs: Bool
    private var isSecured = false
    private var timer: Scheduled<Void>?

    init(_ server: HTTPServerCore, isTLS: Bool) {
        self.server = server
        self.isTLS = isTLS
        sniffs = !isTLS
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let seconds = TimeAmount.seconds(server.limits.handshakeTimeoutSeconds)
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: seconds) {
            let (selector, context) = loopBound.value
            selector.timeIsUp(context)
        }
    }

    private func timeIsUp(_ context: ChannelHandlerContext) {
        let peer = context.remoteAddress.map { "\($0)" } ?? "a peer"
        let awaited = isTLS && !isSecured ? "TLS handshake" : "request"
        let seconds = server.limits.handshakeTimeoutSeconds
        server.log("connection from \(peer): no \(awaited) in \(seconds) s; closing")
        context.close(promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let name)? = event as? TLSUserEvent {
            isSecured = true
            let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
            if let der = try? certificate?.toDERBytes() {
                peer = CertificateSubject.identity(der: der)
            }
            switch name {
            case "h2": decide(.http2, context)
            case "http/1.1": decide(.http1, context)
            case Self.tunnelProtocol: decide(.tunnel, context)
            default: sniffs = true
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDecided else { return context.fireChannelRead(data) }
        pending.writeImmutableBuffer(unwrapInboundIn(data))
        guard sniffs else { return }
        let start = pending.readableBytesView.prefix(Self.preface.count)
        guard start.elementsEqual(Self.preface.prefix(start.count)) else {
            return decide(.http1, context)
        }
        if start.count == Self.preface.count { decide(.http2, context) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let address = context.remoteAddress.map { "\($0)" } ?? "a peer"
        let what = isTLS ? "TLS" : "connection"
        server.log("\(what) from \(address): \(TLSFailure.text(error)); closing")
        context.close(promise: nil)
    }

    private enum Choice { case http2, http1, tunnel }

    private func decide(_ choice: Choice, _ context: ChannelHandlerContext) {
        isDecided = true
        timer?.cancel()
        do {
            let pipeline = context.pipeline.syncOperations
            let log: @Sendable (String) -> Void = { [server] line in server.log(line) }
            let service = HTTP2Connection.Service(handler: server.handler, peer: peer)
            switch choice {
            case .http2:
                let connection = HTTP2Connection(
                    mailbox: server.mailbox(of: context.eventLoop), limits: server.limits,
                    service: service,
                    log: log)
                try pipeline.addHandler(connection)
                server.add(.http2(connection), context.channel)
            case .http1:
                try pipeline.configureHTTPServerPipeline(withErrorHandling: false)
                let handler = HTTP1Handler(
                    limits: server.limits, service: service, log: log)
                try pipeline.addHandler(handler)
                server.add(.http1(handler), context.channel)
            case .tunnel:
                guard let peer, let onTunnel = server.onTunnel else {
                    server.log("tunnel without a client certificate refused")
                    return context.close(promise: nil)
                }
                let connection = HTTP2Connection(
                    mailbox: server.mailbox(of: context.eventLoop), limits: server.limits,
                    service: nil,
                    authority: peer.commonName, scheme: "https", log: log)
                try pipeline.addHandler(connection)
                server.add(.http2(connection), context.channel)
                onTunnel(peer, HTTPClientConnection(connection, context.channel))
            }
        } catch {
            let peer = context.remoteAddress.map { "\($0)" } ?? "a peer"
            server.log("connection from \(peer): \(error); closing")
            return context.close(promise: nil)
        }
        if pending.readableBytes > 0 {
            context.fireChannelRead(NIOAny(pending))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
