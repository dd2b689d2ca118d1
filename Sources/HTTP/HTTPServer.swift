package import NIOCore
import NIOPosix
import NIOSSL

/// One port that speaks HTTP/2 and HTTP/1.1, on TLS by ALPN, on plaintext by the first bytes.
package final class HTTPServer: Sendable {
    /// Gets the connection over which the listener asks the agent that dialled in.
    package typealias OnTunnel = @Sendable (PeerIdentity, HTTPClientConnection) -> Void

    private let core: HTTPServerCore
    private let listener: any Channel

    private init(_ core: HTTPServerCore, _ listener: any Channel) {
        self.core = core
        self.listener = listener
        port = listener.localAddress?.port ?? 0
    }

    /// Binds and serves. With `onTunnel`, the port also takes reverse tunnels from peers that
    /// show a certificate. `log` gets one line for each connection that is not HTTP.
    package static func start(
        host: String, port: Int, tls: TLSServerOptions? = nil, group: any EventLoopGroup,
        limits: HTTPLimits = HTTPLimits(), handler: any HTTPHandler, onTunnel: OnTunnel? = nil,
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(HTTPError) -> HTTPServer {
        var tls = tls
        if onTunnel != nil { tls?.applicationProtocols.append(ProtocolSelector.tunnelProtocol) }
        let tlsContext = try tls?.makeContext()
        let core = HTTPServerCore(
            handler: handler, onTunnel: onTunnel, limits: limits, group: group, log: log)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptLimiter(connectionsMax: limits.connectionsMax, log: core.log))
                }
            }
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: 64 * 1024, high: 256 * 1024)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tlsContext {
                        try pipeline.addHandler(NIOSSLServerHandler(context: tlsContext))
                    }
                    try pipeline.addHandler(ProtocolSelector(core, isTLS: tlsContext != nil))
                }
            }
        do {
            return HTTPServer(core, try await bootstrap.bind(host: host, port: port).get())
        } catch {
            throw HTTPError(.connect, "cannot listen on \(host):\(port): \(error)")
        }
    }

    /// The port bound: the one asked for, or what the kernel chose for 0.
    package let port: Int

    /// Accepts no more, lets open requests end for `drainSeconds`, closes the rest.
    package func stop() async {
        try? await listener.close().get()
        await core.drain()
    }
}
