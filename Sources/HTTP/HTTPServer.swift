package import NIOCore

/// One port that speaks HTTP/2 and HTTP/1.1, on TLS by ALPN, on plaintext by the first bytes.
package final class HTTPServer: Sendable {
    /// Gets the connection over which the listener asks the agent that dialled in.
    package typealias OnTunnel = @Sendable (PeerIdentity, HTTPClientConnection) -> Void

    package static func start(
        host: String, port: Int, tls: TLSServerOptions? = nil, group: any EventLoopGroup,
        limits: HTTPLimits = HTTPLimits(), handler: any HTTPHandler, onTunnel: OnTunnel? = nil,
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(HTTPError) -> HTTPServer {
        fatalError("coming")
    }

    /// The port bound: the one asked for, or what the kernel chose for 0.
    package var port: Int { fatalError("coming") }

    /// Accepts no more, lets open requests end for `drainSeconds`, closes the rest.
    package func stop() async { fatalError("coming") }
}
