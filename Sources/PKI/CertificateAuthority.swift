package import Basics
import Crypto
import FoundationEssentials
import SwiftASN1
import X509

/// A certificate and its private key, both PEM.
package struct CertificatePair: Sendable {
    package var certificatePEM: String
    package var keyPEM: String

    package init(certificatePEM: String, keyPEM: String) {
        self.certificatePEM = certificatePEM
        self.keyPEM = keyPEM
    }
}

/// What a certificate is for.
package struct CertificateRequest: Sendable {
    package var commonName: String
    package var organizations: [String]
    /// DNS names and IP addresses that a server answers to; empty for a pure client.
    package var serverNames: [String]
    package var isServer: Bool
    package var isClient: Bool

    package init(
        commonName: String, organizations: [String] = [], serverNames: [String] = [],
        isServer: Bool = false, isClient: Bool = false
    ) {
        self.commonName = commonName
        self.organizations = organizations
        self.serverNames = serverNames
        self.isServer = isServer
        self.isClient = isClient
    }
}

/// A self-signed ECDSA P-256 authority that issues certificates.
///
/// Martlet keeps three of them (store clients, store peers, API), so that a certificate of one is
/// worth nothing on the ports of another.
package struct CertificateAuthority: Sendable {
    package let pair: CertificatePair
    private let certificate: Certificate
    private let key: Certificate.PrivateKey

    private static let authorityDays: Int64 = 3650
    private static let leafDays: Int64 = 365
    /// Certificates count from long ago: a clock that is behind, or is set back, accepts them.
    private static let backdatingSeconds: Int64 = 365 * 86_400

    /// Makes a new authority.
    package static func create(commonName: String, now: WallTime) throws -> CertificateAuthority {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let name = try DistinguishedName { CommonName(commonName) }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey,
            notValidBefore: date(now, plusSeconds: -backdatingSeconds),
            notValidAfter: date(now, plusSeconds: authorityDays * 86_400),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
            },
            issuerPrivateKey: key)
        return try CertificateAuthority(certificate: certificate, key: key)
    }

    /// Takes up an authority from its files.
    package init(pair: CertificatePair) throws {
        self.pair = pair
        certificate = try Certificate(pemEncoded: pair.certificatePEM)
        key = try Certificate.PrivateKey(pemEncoded: pair.keyPEM)
    }

    private init(certificate: Certificate, key: Certificate.PrivateKey) throws {
        self.certificate = certificate
        self.key = key
        pair = CertificatePair(
            certificatePEM: try certificate.serializeAsPEM().pemString,
            keyPEM: try key.serializeAsPEM().pemString)
    }

    /// Issues a certificate with a fresh key.
    package func issue(_ request: CertificateRequest, now: WallTime) throws -> CertificatePair {
        let leaf = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let subject = try DistinguishedName {
            for organization in request.organizations { OrganizationName(organization) }
            CommonName(request.commonName)
        }
        let issued = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: leaf.publicKey,
            notValidBefore: Self.date(now, plusSeconds: -Self.backdatingSeconds),
            notValidAfter: Self.date(now, plusSeconds: Self.leafDays * 86_400),
            issuer: certificate.subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try extensions(for: request), issuerPrivateKey: key)
        return CertificatePair(
            certificatePEM: try issued.serializeAsPEM().pemString,
            keyPEM: try leaf.serializeAsPEM().pemString)
    }

    private func extensions(for request: CertificateRequest) throws -> Certificate.Extensions {
        var usages: [ExtendedKeyUsage.Usage] = []
        if request.isServer { usages.append(.serverAuth) }
        if request.isClient { usages.append(.clientAuth) }
        var extensions = Certificate.Extensions()
        try extensions.append(
            Certificate.Extension(BasicConstraints.notCertificateAuthority, critical: true))
        try extensions.append(
            Certificate.Extension(KeyUsage(digitalSignature: true), critical: true))
        try extensions.append(
            Certificate.Extension(try ExtendedKeyUsage(usages), critical: false))
        try extensions.append(
            Certificate.Extension(
                AuthorityKeyIdentifier(
                    keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier),
                critical: false))
        if !request.serverNames.isEmpty {
            try extensions.append(
                Certificate.Extension(
                    SubjectAlternativeNames(request.serverNames.map(generalName)),
                    critical: false))
        }
        return extensions
    }

    private func generalName(_ name: String) -> GeneralName {
        if let address = ipAddressBytes(name) {
            return .ipAddress(ASN1OctetString(contentBytes: address[...]))
        }
        return .dnsName(name)
    }

    private static func date(_ time: WallTime, plusSeconds seconds: Int64) -> Date {
        Date(timeIntervalSince1970: Double(time.seconds + seconds))
    }
}
