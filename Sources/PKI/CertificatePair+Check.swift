package import Basics
import FoundationEssentials
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

    /// Whether the authority of that certificate has signed this one; both can be read.
    package func isSigned(by authorityPEM: String) -> Bool {
        guard let own = try? Certificate(pemEncoded: certificatePEM),
            let authority = try? Certificate(pemEncoded: authorityPEM)
        else { return false }
        return own.issuer == authority.subject
            && authority.publicKey.isValidSignature(own.signature, for: own)
    }

    /// Why a certificate does not count at a time; nil if it does, or is none.
    package static func invalidity(_ certificatePEM: String, at time: WallTime) -> String? {
        guard let certificate = try? Certificate(pemEncoded: certificatePEM) else { return nil }
        let first = wallTime(certificate.notValidBefore)
        let last = wallTime(certificate.notValidAfter)
        if time.seconds < first.seconds {
            return "is not valid before \(first.rfc3339), and the clock says \(time.rfc3339)"
        }
        if time.seconds > last.seconds {
            return "expired at \(last.rfc3339), and the clock says \(time.rfc3339)"
        }
        return nil
    }

    private static func wallTime(_ date: Date) -> WallTime {
        WallTime(seconds: Int64(date.timeIntervalSince1970))
    }
}
