import Basics
import Crypto

/// What the three curves of NIST have in common; signatures are r and s, as RFC 7518, 3.4 wants.
protocol EllipticKey: Sendable {
    associatedtype Public: EllipticPublicKey
    init(pemRepresentation: String) throws
    var publicKey: Public { get }
    func sign(_ text: Bytes) throws -> Bytes
}

protocol EllipticPublicKey: Sendable {
    init(pemRepresentation: String) throws
    func verifies(_ signature: Bytes, _ text: Bytes) -> Bool
}

extension P256.Signing.PrivateKey: EllipticKey {
    func sign(_ text: Bytes) throws -> Bytes { Bytes(try signature(for: text).rawRepresentation) }
}

extension P384.Signing.PrivateKey: EllipticKey {
    func sign(_ text: Bytes) throws -> Bytes { Bytes(try signature(for: text).rawRepresentation) }
}

extension P521.Signing.PrivateKey: EllipticKey {
    func sign(_ text: Bytes) throws -> Bytes { Bytes(try signature(for: text).rawRepresentation) }
}

extension P256.Signing.PublicKey: EllipticPublicKey {
    func verifies(_ signature: Bytes, _ text: Bytes) -> Bool {
        (try? P256.Signing.ECDSASignature(rawRepresentation: signature))
            .map { isValidSignature($0, for: text) } ?? false
    }
}

extension P384.Signing.PublicKey: EllipticPublicKey {
    func verifies(_ signature: Bytes, _ text: Bytes) -> Bool {
        (try? P384.Signing.ECDSASignature(rawRepresentation: signature))
            .map { isValidSignature($0, for: text) } ?? false
    }
}

extension P521.Signing.PublicKey: EllipticPublicKey {
    func verifies(_ signature: Bytes, _ text: Bytes) -> Bool {
        (try? P521.Signing.ECDSASignature(rawRepresentation: signature))
            .map { isValidSignature($0, for: text) } ?? false
    }
}
