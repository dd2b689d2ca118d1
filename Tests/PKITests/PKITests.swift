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

    @Test func tellsWhoSignedAndFromWhenToWhenItCounts() throws {
        let authority = try CertificateAuthority.create(commonName: "one", now: now)
        // Of the same name: only the signature tells them apart.
        let other = try CertificateAuthority.create(commonName: "one", now: now)
        let pair = try authority.issue(
            CertificateRequest(commonName: "client", isClient: true), now: now)
        #expect(pair.isSigned(by: authority.pair.certificatePEM))
        #expect(!pair.isSigned(by: other.pair.certificatePEM))
        let day: Int64 = 86_400
        for days in [-364, 0, 364] {
            let time = now.adding(seconds: Int64(days) * day)
            #expect(CertificatePair.invalidity(pair.certificatePEM, at: time) == nil)
        }
        let early = CertificatePair.invalidity(
            pair.certificatePEM, at: now.adding(seconds: -366 * day))
        #expect(early?.hasPrefix("is not valid before 20") == true)
        let late = CertificatePair.invalidity(
            pair.certificatePEM, at: now.adding(seconds: 366 * day))
        #expect(late?.hasPrefix("expired at 20") == true)
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
