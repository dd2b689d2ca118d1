import Basics
import HTTP
import PKI

/// Certificates looked at where the names of their files are known: the TLS library knows none.
enum CertificateFiles {
    /// The pair of a replica, for a port on which the other side is of the same authority.
    ///
    /// - Parameters:
    ///   - name: of the pair in the replica's folder.
    ///   - authority: that it and the other side's certificates must come from.
    /// - Returns: what is wrong with them at this time, which a clock that is put right may mend.
    static func check(
        _ folder: String, _ replica: String, _ name: String, authority: String, now: WallTime
    ) throws(CommandError) -> [String] {
        let base = "\(folder)/\(replica)/\(name)"
        let pair = try pair(certificate: base + ".crt", key: base + ".key")
        let path = "\(folder)/\(authority).crt"
        let authority = try self.authority(path)
        guard pair.isSigned(by: authority) else {
            throw CommandError("\(base).crt is not signed by \(path)")
        }
        return [(base + ".crt", pair.certificatePEM), (path, authority)].compactMap {
            (path, text) in CertificatePair.invalidity(text, at: now).map { "\(path) \($0)" }
        }
    }

    /// Two files that belong together.
    static func pair(
        certificate: String, key: String
    ) throws(CommandError) -> CertificatePair {
        let pair = CertificatePair(
            certificatePEM: try Files.readText(certificate), keyPEM: try Files.readText(key))
        do throws(CertificatePair.Flaw) {
            try pair.check()
        } catch {
            switch error {
            case .certificate: throw CommandError("\(certificate) is not a certificate in PEM")
            case .key: throw CommandError("\(key) is not a private key in PEM")
            case .foreignKey: throw CommandError("\(key) is not the key of \(certificate)")
            }
        }
        return pair
    }

    static func authority(_ path: String) throws(CommandError) -> String {
        let text = try Files.readText(path)
        guard CertificatePair.isCertificate(text) else {
            throw CommandError("\(path) is not a certificate in PEM")
        }
        return text
    }

    /// What a port needs, checked.
    ///
    /// - Parameter warn: is told what clients will not take.
    static func server(
        _ folder: String, _ replica: String, _ name: String, authority: String,
        clientCertificates: TLSServerOptions.ClientCertificates = .optional,
        warn: (String) -> Void
    ) throws(CommandError) -> TLSServerOptions {
        for warning in try check(folder, replica, name, authority: authority, now: .now()) {
            warn("\(warning): nobody takes it")
        }
        return TLSServerOptions(
            certificateChainPEM: try Files.readText("\(folder)/\(replica)/\(name).crt"),
            privateKeyPEM: try Files.readText("\(folder)/\(replica)/\(name).key"),
            clientAuthorityPEM: try Files.readText("\(folder)/\(authority).crt"),
            clientCertificates: clientCertificates)
    }
}
