import NIOCore
import NIOSSL

extension TLSServerOptions {
    func makeContext() throws(HTTPError) -> NIOSSLContext {
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificateChainPEM.utf8))
            let key = try NIOSSLPrivateKey(bytes: Array(privateKeyPEM.utf8), format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = applicationProtocols
            switch clientCertificates {
            case .none: configuration.certificateVerification = .none
            case .optional: configuration.certificateVerification = .optionalVerification
            case .required: configuration.certificateVerification = .noHostnameVerification
            }
            if clientCertificates != .none {
                guard let clientAuthorityPEM else {
                    throw HTTPError(.tls, "client certificates need an authority")
                }
                let authority = try NIOSSLCertificate.fromPEMBytes(Array(clientAuthorityPEM.utf8))
                configuration.trustRoots = .certificates(authority)
                configuration.sendCANameList = true
            }
            return try NIOSSLContext(configuration: configuration)
        } catch let error as HTTPError {
            throw error
        } catch {
            throw HTTPError(.tls, "server certificate or key: \(error)")
        }
    }
}

extension TLSClientOptions {
    func makeContext(applicationProtocols: [String]) throws(HTTPError) -> NIOSSLContext {
        do {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = applicationProtocols
            configuration.trustRoots = .certificates(
                try NIOSSLCertificate.fromPEMBytes(Array(authorityPEM.utf8)))
            if let certificateChainPEM, let privateKeyPEM {
                let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificateChainPEM.utf8))
                configuration.certificateChain = chain.map { .certificate($0) }
                configuration.privateKey = .privateKey(
                    try NIOSSLPrivateKey(bytes: Array(privateKeyPEM.utf8), format: .pem))
            }
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw HTTPError(.tls, "client certificate, key or authority: \(error)")
        }
    }

    /// The name to check, or nil for an address: NIOSSL then checks the certificate's addresses.
    func verifiedName(host: String) -> String? {
        let name = serverName ?? host
        return (try? SocketAddress(ipAddress: name, port: 0)) == nil ? name : nil
    }
}
