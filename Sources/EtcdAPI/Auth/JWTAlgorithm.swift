import Basics
import Crypto
import CryptoExtras

/// How a JSON Web Token is signed: the `alg` values of RFC 7518 and RFC 8037 that etcd takes.
enum JWTAlgorithm: String, CaseIterable, Sendable {
    case hs256 = "HS256", hs384 = "HS384", hs512 = "HS512"
    case rs256 = "RS256", rs384 = "RS384", rs512 = "RS512"
    case ps256 = "PS256", ps384 = "PS384", ps512 = "PS512"
    case es256 = "ES256", es384 = "ES384", es512 = "ES512"
    case edDSA = "EdDSA"

    var isSymmetric: Bool { rawValue.hasPrefix("HS") }

    /// The signature of some text.
    typealias Sign = @Sendable (Bytes) throws -> Bytes
    /// Whether a signature is that of a text.
    typealias Verify = @Sendable (_ signature: Bytes, _ text: Bytes) -> Bool

    /// What the two keys, of a shared secret one is enough, make possible.
    func operations(
        privatePEM: String?, publicPEM: String?
    ) throws -> (sign: Sign?, verify: Verify) {
        switch self {
        case .hs256: return secret(SHA256.self, privatePEM ?? publicPEM)
        case .hs384: return secret(SHA384.self, privatePEM ?? publicPEM)
        case .hs512: return secret(SHA512.self, privatePEM ?? publicPEM)
        case .rs256: return try rsa(SHA256.self, .insecurePKCS1v1_5, privatePEM, publicPEM)
        case .rs384: return try rsa(SHA384.self, .insecurePKCS1v1_5, privatePEM, publicPEM)
        case .rs512: return try rsa(SHA512.self, .insecurePKCS1v1_5, privatePEM, publicPEM)
        case .ps256: return try rsa(SHA256.self, .PSS, privatePEM, publicPEM)
        case .ps384: return try rsa(SHA384.self, .PSS, privatePEM, publicPEM)
        case .ps512: return try rsa(SHA512.self, .PSS, privatePEM, publicPEM)
        case .es256: return try elliptic(P256.Signing.PrivateKey.self, privatePEM, publicPEM)
        case .es384: return try elliptic(P384.Signing.PrivateKey.self, privatePEM, publicPEM)
        case .es512: return try elliptic(P521.Signing.PrivateKey.self, privatePEM, publicPEM)
        case .edDSA: return try ed25519(privatePEM, publicPEM)
        }
    }

    private func secret<Hash: HashFunction>(_: Hash.Type, _ text: String?) -> (Sign?, Verify) {
        let key = SymmetricKey(data: Bytes((text ?? "").utf8))
        return (
            { Bytes(HMAC<Hash>.authenticationCode(for: $0, using: key)) },
            { HMAC<Hash>.isValidAuthenticationCode($0, authenticating: $1, using: key) }
        )
    }

    private func rsa<Hash: HashFunction>(
        _: Hash.Type, _ padding: _RSA.Signing.Padding, _ privatePEM: String?, _ publicPEM: String?
    ) throws -> (Sign?, Verify) {
        let own = try privatePEM.map { try _RSA.Signing.PrivateKey(pemRepresentation: $0) }
        let theirs =
            try publicPEM.map { try _RSA.Signing.PublicKey(pemRepresentation: $0) }
            ?? own?.publicKey
        guard let theirs else { throw JWTKeyMissing() }
        let sign = own.map { key -> Sign in
            {
                Bytes(
                    try key.signature(for: Hash.hash(data: $0), padding: padding).rawRepresentation)
            }
        }
        return (
            sign,
            {
                let signature = _RSA.Signing.RSASignature(rawRepresentation: $0)
                return theirs.isValidSignature(
                    signature, for: Hash.hash(data: $1), padding: padding)
            }
        )
    }

    private func elliptic<Key: EllipticKey>(
        _: Key.Type, _ privatePEM: String?, _ publicPEM: String?
    ) throws -> (Sign?, Verify) {
        let own = try privatePEM.map { try Key(pemRepresentation: $0) }
        let theirs =
            try publicPEM.map { try Key.Public(pemRepresentation: $0) } ?? own?.publicKey
        guard let theirs else { throw JWTKeyMissing() }
        let sign = own.map { key -> Sign in { try key.sign($0) } }
        return (sign, { theirs.verifies($0, $1) })
    }

    private func ed25519(_ privatePEM: String?, _ publicPEM: String?) throws -> (Sign?, Verify) {
        let own = try privatePEM.map {
            try Curve25519.Signing.PrivateKey(rawRepresentation: try Ed25519PEM.privateKey($0))
        }
        let theirs =
            try publicPEM.map {
                try Curve25519.Signing.PublicKey(rawRepresentation: try Ed25519PEM.publicKey($0))
            } ?? own?.publicKey
        guard let theirs else { throw JWTKeyMissing() }
        let sign = own.map { key -> Sign in { Bytes(try key.signature(for: $0)) } }
        return (sign, { theirs.isValidSignature($0, for: $1) })
    }
}

/// Neither key was given.
struct JWTKeyMissing: Error, CustomStringConvertible {
    var description: String { "neither pub-key nor priv-key is given" }
}
