package import NIOCore

/// The dialling end of a reverse tunnel: it dials out, and then serves what the listener asks.
package final class HTTPTunnel: Sendable {
    private let connection: HTTP2Connection
    private let channel: any Channel

    private init(_ connection: HTTP2Connection, _ channel: any Channel) {
        self.connection = connection
        self.channel = channel
    }

    /// Dials an API port; after TLS (ALPN `martlet-agent/1`) this side is the HTTP/2 server.
    package static func serve(
        host: String, port: Int, tls: TLSClientOptions, group: any EventLoopGroup,
        limits: HTTPLimits = HTTPLimits(), handler: any HTTPHandler
    ) async throws(HTTPError) -> HTTPTunnel {
        let loop = group.next()
        let connection = HTTP2Connection(
            mailbox: LoopMailbox(loop), limits: limits,
            service: HTTP2Connection.Service(handler: handler, peer: nil))
        do {
            let channel = try await Dialler.dial(
                host: host, port: port, tls: tls,
                applicationProtocol: ProtocolSelector.tunnelProtocol, on: loop,
                connection: connection
            ).get()
            return HTTPTunnel(connection, channel)
        } catch let error as HTTPError {
            throw error
        } catch {
            throw HTTPError(.connect, "\(host):\(port): \(error)")
        }
    }

    /// Returns when the tunnel has closed; dial again then.
    package func waitUntilClosed() async {
        try? await channel.closeFuture.get()
    }

    package func close() {
        connection.eventLoop.execute { self.connection.close() }
    }
}
