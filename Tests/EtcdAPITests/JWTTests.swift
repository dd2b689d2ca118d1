import Basics
import Crypto
import CryptoExtras
import EtcdAPI
import Keyspace
import Testing

@Suite struct JWTTests {
    private static let user = Bytes("u".utf8)
    private let now: UInt64 = 1_000_000

    private func state() throws -> AuthState {
        var state = AuthState()
        for change in [
            AuthChange.addUser(AuthState.root, passwordHash: Bytes("r".utf8)),
            .grantRole(user: AuthState.root, role: AuthState.root),
            .addUser(Self.user, passwordHash: Bytes("h".utf8)), .enable(secret: [1]),
        ] { try state.apply(change) }
        return state
    }

    /// Private and public key of a method in PEM.
    private static func keys(_ method: String) throws -> (String, String?) {
        switch method {
        case "ES256":
            let key = P256.Signing.PrivateKey()
            return (key.pemRepresentation, key.publicKey.pemRepresentation)
        case "ES384":
            let key = P384.Signing.PrivateKey()
            return (key.pemRepresentation, key.publicKey.pemRepresentation)
        case "ES512":
            let key = P521.Signing.PrivateKey()
            return (key.pemRepresentation, key.publicKey.pemRepresentation)
        case "EdDSA":
            // RFC 8032, 7.1, test 1.
            return (
                """
                -----BEGIN PRIVATE KEY-----
                MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
                -----END PRIVATE KEY-----
                """,
                """
                -----BEGIN PUBLIC KEY-----
                MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
                -----END PUBLIC KEY-----
                """
            )
        case let symmetric where symmetric.hasPrefix("HS"): return ("a shared secret", nil)
        default:
            let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
            return (key.pemRepresentation, key.publicKey.pemRepresentation)
        }
    }

    private func read(
        _ token: String, _ mint: JWTMint, _ state: AuthState, at time: UInt64? = nil
    ) throws(StoreError) -> Bytes {
        try mint.read(token, state, isKnown: false, now: time ?? now).user
    }

    @Test(arguments: [
        "HS256", "HS384", "HS512", "RS256", "RS512", "PS256", "PS384", "ES256", "ES384", "ES512",
        "EdDSA",
    ]) func whoHasTheKeyIsKnown(method: String) throws {
        let state = try state()
        let (privatePEM, publicPEM) = try Self.keys(method)
        let mint = try JWTMint(method: method, privatePEM: privatePEM, publicPEM: publicPEM)
        let token = try #require(mint.issue(for: Self.user, state, now: now))
        #expect(try read(token, mint, state) == Self.user)
        #expect(mint.issue(for: Bytes("nobody".utf8), state, now: now) == nil)
        // Without the private key tokens are only read.
        if let publicPEM {
            let reader = try JWTMint(method: method, privatePEM: nil, publicPEM: publicPEM)
            #expect(try read(token, reader, state) == Self.user)
            #expect(reader.issue(for: Self.user, state, now: now) == nil)
        }
        // A changed letter anywhere; the last of a part may have bits that say nothing.
        let bytes = Bytes(token.utf8)
        for place in stride(from: 0, to: bytes.count - 2, by: 7) {
            var changed = bytes
            changed[place] = changed[place] == 0x41 ? 0x42 : 0x41
            #expect(throws: StoreError.invalidAuthToken) {
                try read(String(decoding: changed, as: UTF8.self), mint, state)
            }
        }
    }

    @Test func timeAndRevisionEndIt() throws {
        var state = try state()
        let (privatePEM, _) = try Self.keys("ES256")
        let mint = try JWTMint(
            method: "ES256", privatePEM: privatePEM, publicPEM: nil, lifeSeconds: 60)
        let token = try #require(mint.issue(for: Self.user, state, now: now))
        #expect(try read(token, mint, state, at: now + 59) == Self.user)
        #expect(throws: StoreError.invalidAuthToken) {
            try read(token, mint, state, at: now + 60)
        }
        try state.apply(.addRole([1]))
        #expect(throws: StoreError.authRevisionOld) { try read(token, mint, state) }
    }

    @Test func aTableForgetsItInTime() throws {
        let state = try state()
        let (privatePEM, _) = try Self.keys("ES256")
        let mint = try JWTMint(
            method: "ES256", privatePEM: privatePEM, publicPEM: nil, lifeSeconds: 60)
        let wall = Locked<UInt64>(now)
        let table = TokenTable(mint, wallSeconds: { wall.withLock { $0 } })
        let token = try #require(table.issue(for: Self.user, state))
        let snapshot = AuthSnapshot(state)
        #expect(try table.permit(token, snapshot).user == Self.user)
        wall.withLock { $0 += 59 }
        #expect(try table.permit(token, snapshot).user == Self.user)
        wall.withLock { $0 += 1 }
        #expect(throws: StoreError.invalidAuthToken) { try table.permit(token, snapshot) }
    }

    /// RFC 8725, 2.1: the token does not choose how it is checked.
    @Test func theMethodIsTheServers() throws {
        let state = try state()
        let (privatePEM, publicPEM) = try Self.keys("RS256")
        let mint = try JWTMint(method: "RS256", privatePEM: privatePEM, publicPEM: publicPEM)
        let forger = try JWTMint(method: "HS256", privatePEM: publicPEM, publicPEM: nil)
        let forged = try #require(forger.issue(for: AuthState.root, state, now: now))
        #expect(throws: StoreError.invalidAuthToken) { try read(forged, mint, state) }
        // {"alg":"none"}, as many claims as one likes, and no signature.
        let parts = forged.split(separator: ".")
        for unsigned in ["eyJhbGciOiJub25lIn0.\(parts[1]).", "..", "", "a.b", "\(forged).x"] {
            #expect(throws: StoreError.invalidAuthToken) { try read(unsigned, mint, state) }
        }
    }

    @Test(arguments: [
        ("ES257", "x", "sign-method ES257 is none of HS256"), ("HS256", "", "needs a secret"),
        ("RS256", "not a key", "the keys do not do for RS256"),
        ("EdDSA", "not a key", "not an Ed25519 key in PEM"),
    ]) func whatIsWrongWithKeysIsSaid(method: String, key: String, words: String) {
        let failure = #expect(throws: JWTMint.Failure.self) {
            try JWTMint(method: method, privatePEM: key, publicPEM: nil)
        }
        #expect(failure?.description.contains(words) == true, "\(failure?.description ?? "")")
    }
}
