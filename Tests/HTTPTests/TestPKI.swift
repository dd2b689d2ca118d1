import Basics
import HTTP
import PKI

/// An authority with a server and clients, made for one test.
struct TestPKI {
    let authority: CertificateAuthority
    let server: CertificatePair

    init() throws {
        authority = try CertificateAuthority.create(commonName: "test", now: .now())
        server = try authority.issue(
            CertificateRequest(
                commonName: "server", serverNames: ["localhost", "127.0.0.1"], isServer: true),
            now: .now())
    }

    func serverOptions(
        _ clients: TLSServerOptions.ClientCertificates, trusting other: TestPKI? = nil
    ) -> TLSServerOptions {
        TLSServerOptions(
            certificateChainPEM: server.certificatePEM, privateKeyPEM: server.keyPEM,
            clientAuthorityPEM: (other ?? self).authority.pair.certificatePEM,
            clientCertificates: clients)
    }

    /// A client of this authority; without a certificate if `name` is nil.
    func clientOptions(
        _ name: String? = nil, organizations: [String] = [], trusting other: TestPKI? = nil
    ) throws -> TLSClientOptions {
        let pair = try name.map {
            try authority.issue(
                CertificateRequest(
                    commonName: $0, organizations: organizations, isClient: true), now: .now())
        }
        return TLSClientOptions(
            authorityPEM: (other ?? self).authority.pair.certificatePEM,
            certificateChainPEM: pair?.certificatePEM, privateKeyPEM: pair?.keyPEM)
    }
}
