package import NIOCore

/// The dialling end of a reverse tunnel: it dials out, and then serves what the listener asks.
package final class HTTPTunnel: Sendable {
    /// Dials an API port; after TLS (ALPN `martlet-agent/1`) this side is the HTTP/2 server.
    package static func serve(
        host: String, port: Int, tls: TLSClientOptions, group: any EventLoopGroup,
        limits: HTTPLimits = HTTPLimits(), handler: any HTTPHandler
    ) async throws(HTTPError) -> HTTPTunnel {
        fatalError("coming")
    }

    /// Returns when the tunnel has closed; dial again then.
    package func waitUntilClosed() async { fatalError("coming") }
    package func close() { fatalError("coming") }
}
