import NIOCore
import NIOSSL
import ReplicaCore

/// The two ends of mutual TLS between peers.
///
/// Whoever has a certificate of the peer authority is a peer; names are not compared, because
/// addresses may change, and the hello says which cluster and member is meant.
struct PeerTLS: Sendable {
    static let applicationProtocol = "martlet-peer/1"

    let client: NIOSSLContext
    let server: NIOSSLContext

    init(_ options: ReplicaConfiguration.PeerTLS) throws(ReplicaFailure) {
        do {
            let authority = try NIOSSLCertificate.fromPEMBytes(Array(options.authorityPEM.utf8))
            let chain = try NIOSSLCertificate.fromPEMBytes(Array(options.certificatePEM.utf8))
            let key = try NIOSSLPrivateKey(bytes: Array(options.keyPEM.utf8), format: .pem)
            var dialling = TLSConfiguration.makeClientConfiguration()
            dialling.certificateChain = chain.map { .certificate($0) }
            dialling.privateKey = .privateKey(key)
            var listening = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            dialling.trustRoots = .certificates(authority)
            dialling.certificateVerification = .noHostnameVerification
            dialling.minimumTLSVersion = .tlsv13
            dialling.applicationProtocols = [PeerTLS.applicationProtocol]
            listening.trustRoots = .certificates(authority)
            listening.certificateVerification = .noHostnameVerification
            listening.minimumTLSVersion = .tlsv13
            listening.applicationProtocols = [PeerTLS.applicationProtocol]
            client = try NIOSSLContext(configuration: dialling)
            server = try NIOSSLContext(configuration: listening)
        } catch {
            throw ReplicaFailure(nil, "peer certificate, key or authority: \(error)")
        }
    }
}
