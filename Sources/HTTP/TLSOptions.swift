/// The server side of TLS on a port; certificates and keys are PEM text.
package struct TLSServerOptions: Sendable {
    package enum ClientCertificates: Sendable { case none, optional, required }

    package var certificateChainPEM: String
    package var privateKeyPEM: String
    /// The authority that client certificates must come from.
    package var clientAuthorityPEM: String?
    package var clientCertificates: ClientCertificates
    /// ALPN names offered, best first.
    package var applicationProtocols = ["h2", "http/1.1"]

    package init(
        certificateChainPEM: String, privateKeyPEM: String, clientAuthorityPEM: String? = nil,
        clientCertificates: ClientCertificates = .none
    ) {
        self.certificateChainPEM = certificateChainPEM
        self.privateKeyPEM = privateKeyPEM
        self.clientAuthorityPEM = clientAuthorityPEM
        self.clientCertificates = clientCertificates
    }
}

/// The client side: which authority the server must come from, and who we are.
package struct TLSClientOptions: Sendable {
    package var authorityPEM: String
    package var certificateChainPEM: String?
    package var privateKeyPEM: String?
    /// The name that the server's certificate must have; the host dialled if nil.
    package var serverName: String?

    package init(
        authorityPEM: String, certificateChainPEM: String? = nil, privateKeyPEM: String? = nil,
        serverName: String? = nil
    ) {
        self.authorityPEM = authorityPEM
        self.certificateChainPEM = certificateChainPEM
        self.privateKeyPEM = privateKeyPEM
        self.serverName = serverName
    }
}
