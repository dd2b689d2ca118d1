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
        do throws(CertificatePair.Flaw) {
            try pair.check()
        } catch {
            switch error {
            case .certificate: throw CommandError("\(base).crt is not a certificate in PEM")
            case .key: throw CommandError("\(base).key is not a private key in PEM")
            case .foreignKey: throw CommandError("\(base).key is not the key of \(base).crt")
            }
        }
        let path = "\(folder)/\(authority).crt"
        guard CertificatePair.isCertificate(try Files.readText(path)) else {
            throw CommandError("\(path) is not a certificate in PEM")
        }
    }
}
