package import Basics
import Documents
package import Keyspace

/// etcd's `--auth-token jwt,…`: tokens that say whose they are, until when they are good, and the
/// revision of the auth state that they were made under, as etcd's do.
package struct JWTMint: TokenMint {
    package struct Failure: Error, CustomStringConvertible {
        package var description: String

        package init(description: String) { self.description = description }
    }

    package static let lifeSeconds: UInt64 = 300

    private let algorithm: JWTAlgorithm
    private let sign: JWTAlgorithm.Sign?
    private let verify: JWTAlgorithm.Verify
    private let lifeSeconds: UInt64
    private let head: String

    /// - Parameter method: The name of a signing method, such as `ES256`.
    package init(
        method: String, privatePEM: String?, publicPEM: String?, lifeSeconds: UInt64 = lifeSeconds
    ) throws(Failure) {
        guard let algorithm = JWTAlgorithm(rawValue: method) else {
            let all = JWTAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(description: "sign-method \(method) is none of \(all)")
        }
        if algorithm.isSymmetric, (privatePEM ?? publicPEM ?? "").isEmpty {
            throw Failure(description: "sign-method \(method) needs a secret in priv-key")
        }
        self.algorithm = algorithm
        self.lifeSeconds = lifeSeconds
        do {
            (sign, verify) = try algorithm.operations(
                privatePEM: privatePEM, publicPEM: publicPEM)
        } catch {
            throw Failure(description: "the keys do not do for \(method): \(error)")
        }
        head = Self.part(#"{"alg":"\#(method)","typ":"JWT"}"#)
    }

    package func issue(for user: Bytes, _ auth: AuthState, now: UInt64) -> String? {
        guard let sign, auth.isEnabled, auth.users[user] != nil else { return nil }
        var claims = JSONObject()
        claims["exp"] = .integer(Int64(now + lifeSeconds))
        claims["revision"] = .integer(Int64(auth.revision))
        claims["username"] = .string(String(decoding: user, as: UTF8.self))
        let text =
            head + "." + Self.part(String(decoding: JSON.object(claims).bytes(), as: UTF8.self))
        guard let signature = try? sign(Bytes(text.utf8)) else { return nil }
        return text + "." + Self.base64(signature)
    }

    package func read(
        _ token: String, _ auth: AuthState, isKnown: Bool, now: UInt64
    ) throws(StoreError) -> TokenReading {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Self.object(parts[0]),
            // The method is the server's to choose: a token that names another one, or none, is no
            // token.
            head["alg"]?.stringValue == algorithm.rawValue,
            let signature = Self.bytes(parts[2]),
            verify(signature, Bytes((parts[0] + "." + parts[1]).utf8)),
            let claims = Self.object(parts[1]),
            let ends = claims["exp"]?.intValue, ends > Int64(now),
            let user = claims["username"]?.stringValue,
            let revision = claims["revision"]?.intValue, revision >= 0
        else { throw .invalidAuthToken }
        guard revision >= Int64(auth.revision) else { throw .authRevisionOld }
        return TokenReading(user: Bytes(user.utf8), ends: UInt64(ends))
    }

    private static func part(_ text: String) -> String { base64(Bytes(text.utf8)) }

    /// Base64 for URLs, without padding (RFC 7515, 2).
    private static func base64(_ bytes: Bytes) -> String {
        String(
            Base64.encode(bytes).compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }

    private static func bytes(_ text: Substring) -> Bytes? {
        var plain = String(
            text.map { character -> Character in
                switch character {
                case "-": "+"
                case "_": "/"
                default: character
                }
            })
        plain += String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return try? Base64.decode(plain).get()
    }

    private static func object(_ text: Substring) -> JSONObject? {
        guard let bytes = bytes(text), case .object(let object)? = try? JSON.parse(bytes) else {
            return nil
        }
        return object
    }
}
