import HTTP
import PKI

/// The certificates of a cluster's folder, looked at where their names are known.
enum CertificateFiles {
    /// - Parameters:
    ///   - name: of the pair in the replica's folder.
    ///   - authority: that the other side's certificates must come from.
    static func check(
        _ folder: String, _ replica: String, _ name: String, authority: String
    ) throws(CommandError) {
        let base = "\(folder)/\(replica)/\(name)"
        let pair = CertificatePair(
            certificatePEM: try Files.readText(base + ".crt"),
            keyPEM: try Files.readText(base + ".key"))
        try check(pair, certificate: base + ".crt", key: base + ".key")
        let path = "\(folder)/\(authority).crt"
        guard CertificatePair.isCertificate(try Files.readText(path)) else {
            throw CommandError("\(path) is not a certificate in PEM")
        }
    }

    /// What a port needs, checked.
    static func server(
        _ folder: String, _ replica: String, _ name: String, authority: String,
        clientCertificates: TLSServerOptions.ClientCertificates = .optional
    ) throws(CommandError) -> TLSServerOptions {
        try check(folder, replica, name, authority: authority)
        return TLSServerOptions(
            certificateChainPEM: try Files.readText("\(folder)/\(replica)/\(name).crt"),
            privateKeyPEM: try Files.readText("\(folder)/\(replica)/\(name).key"),
            clientAuthorityPEM: try Files.readText("\(folder)/\(authority).crt"),
            clientCertificates: clientCertificates)
    }

    /// - Parameters: the paths that the pair was read from.
    static func check(
        _ pair: CertificatePair, certificate: String, key: String
    ) throws(CommandError) {
        do throws(CertificatePair.Flaw) {
            try pair.check()
        } catch {
            switch error {
            case .certificate: throw CommandError("\(certificate) is not a certificate in PEM")
            case .key: throw CommandError("\(key) is not a private key in PEM")
            case .foreignKey: throw CommandError("\(key) is not the key of \(certificate)")
            }
        }
    }
}
