import Basics
import Crypto
import Keyspace

/// etcd's `--auth-token simple`.
///
/// A token is signed with a secret of the auth state, so every member knows it for good; its user's
/// password hash is signed along, so a new password, or the end of the user, ends it. It is good
/// for five minutes, and on a member for five minutes more with every use there.
struct SimpleMint: TokenMint {
    private static let letters = Array(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    let lifeSeconds: UInt64

    /// For an auth state that becomes enabled.
    static func newSecret() -> Bytes {
        var generator = SystemRandomNumberGenerator()
        return (0..<32).map { _ in .random(in: 0...255, using: &generator) }
    }

    func issue(for user: Bytes, _ auth: AuthState, now: UInt64) -> String? {
        var generator = SystemRandomNumberGenerator()
        let salt = Bytes(
            (0..<16).map { _ in Self.letters[Int.random(in: 0..<52, using: &generator)] })
        return Token(salt: salt, issued: now, user: user).signed(auth)
    }

    func read(
        _ token: String, _ auth: AuthState, isKnown: Bool, now: UInt64
    ) throws(StoreError) -> TokenReading {
        guard let read = Token(token), let signed = read.signed(auth),
            Bcrypt.areEqual(Bytes(signed.utf8), Bytes(token.utf8)),
            isKnown || read.issued + lifeSeconds > now
        else { throw .invalidAuthToken }
        return TokenReading(user: read.user)
    }
}

/// A token taken apart: sixteen letters, a dot, and in hexadecimal when it was issued, the
/// signature, and whose it is.
private struct Token {
    private static let signatureBytes = 16

    let salt: Bytes
    let issued: UInt64
    let user: Bytes

    init(salt: Bytes, issued: UInt64, user: Bytes) {
        self.salt = salt
        self.issued = issued
        self.user = user
    }

    init?(_ text: String) {
        let parts = text.utf8.split(separator: 0x2e)
        guard parts.count == 2, let rest = Bytes(hex: Bytes(parts[1])) else { return nil }
        var reader = ByteReader(rest)
        do throws(DecodingFailure) {
            salt = Bytes(parts[0])
            issued = try reader.readBigEndian("time")
            try reader.skip("signature", count: Self.signatureBytes)
            user = try reader.read("user", count: reader.remaining)
        } catch {
            return nil
        }
        guard issued < 1 << 40 else { return nil }
    }

    /// As text, signed under this state; nil if the state does not know the user.
    func signed(_ auth: AuthState) -> String? {
        guard auth.isEnabled, let hash = auth.users[user]?.passwordHash else { return nil }
        var signed = ByteWriter()
        signed.writeCounted(salt)
        signed.writeBigEndian(issued)
        signed.writeCounted(user)
        signed.writeCounted(hash)
        let code = HMAC<SHA256>.authenticationCode(
            for: signed.bytes, using: SymmetricKey(data: auth.secret))
        var rest = ByteWriter()
        rest.writeBigEndian(issued)
        rest.write(Bytes(code).prefix(Self.signatureBytes))
        rest.write(user)
        return String(decoding: salt, as: UTF8.self) + "." + rest.bytes.hex
    }
}

extension Bytes {
    fileprivate init?(hex digits: Bytes) {
        guard digits.count.isMultiple(of: 2) else { return nil }
        self = []
        for place in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[place..<place + 2], as: UTF8.self)
            guard pair.utf8.allSatisfy({ $0 != 0x2b && $0 != 0x2d }),
                let byte = UInt8(pair, radix: 16)
            else { return nil }
            append(byte)
        }
    }
}
