import Basics
import PKI
import Testing

@Suite struct CertificateAuthorityTests {
    private let now = WallTime(seconds: 1_790_000_000)

    @Test func issuesServerCertificateThatReloads() throws {
        let authority = try CertificateAuthority.create(commonName: "test-ca", now: now)
        let again = try CertificateAuthority(pair: authority.pair)
        let pair = try again.issue(
            CertificateRequest(
                commonName: "server", serverNames: ["localhost", "127.0.0.1", "::1"],
                isServer: true),
            now: now)
        #expect(pair.certificatePEM.hasPrefix("-----BEGIN CERTIFICATE-----"))
        #expect(pair.keyPEM.contains("PRIVATE KEY"))
    }

    @Test func refusesAFileThatIsNoCertificate() {
        #expect(throws: (any Error).self) {
            try CertificateAuthority(pair: CertificatePair(certificatePEM: "x", keyPEM: "y"))
        }
    }

    @Test(
        arguments: [
            ("127.0.0.1", 4), ("::1", 16), ("localhost", nil), ("10.0.0.256", nil),
        ] as [(String, Int?)])
    func readsAddresses(text: String, count: Int?) {
        #expect(ipAddressBytes(text)?.count == count)
    }
}
