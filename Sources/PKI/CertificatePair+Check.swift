import SwiftASN1
import X509

extension CertificatePair {
    /// What is wrong with a pair as it was read from files.
    package enum Flaw: Error, Sendable {
        case certificate, key
        /// It belongs to another certificate.
        case foreignKey
    }

    /// Finds a flaw of a pair where its files' names are still known: the TLS library knows none.
    package func check() throws(Flaw) {
        let certificate: Certificate
        do { certificate = try Certificate(pemEncoded: certificatePEM) } catch {
            throw .certificate
        }
        let key: Certificate.PrivateKey
        do { key = try Certificate.PrivateKey(pemEncoded: keyPEM) } catch { throw .key }
        guard key.publicKey == certificate.publicKey else { throw .foreignKey }
    }

    /// Whether a text is a certificate.
    package static func isCertificate(_ text: String) -> Bool {
        (try? Certificate(pemEncoded: text)) != nil
    }
}
