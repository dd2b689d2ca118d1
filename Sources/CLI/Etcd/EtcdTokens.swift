import EtcdAPI

/// What `--auth-token` and `--auth-token-ttl` say.
package enum EtcdTokens: Sendable, Hashable {
    package struct JWT: Sendable, Hashable {
        package var method: String
        package var privateKeyFile: String?
        package var publicKeyFile: String?
        package var lifeSeconds = JWTMint.lifeSeconds
    }

    case simple(lifeSeconds: UInt64)
    case jwt(JWT)

    init(_ flags: EtcdFlags) throws(EtcdFlags.Failure) {
        let life = try flags.number("auth-token-ttl") ?? Int64(TokenTable.lifeSeconds)
        guard life > 0, life < 1 << 31 else {
            throw EtcdFlags.Failure(
                description: "\(flags.source("auth-token-ttl")): \(life) s is no time to live")
        }
        let parts = flags.text("auth-token", default: "simple").split(
            separator: ",", omittingEmptySubsequences: false)
        switch parts[0] {
        case "simple": self = .simple(lifeSeconds: UInt64(life))
        case "jwt": self = .jwt(try JWT(parts.dropFirst(), flags.source("auth-token")))
        default:
            throw EtcdFlags.Failure(
                description: "\(flags.source("auth-token")): \(parts[0]) is neither simple nor jwt")
        }
    }
}

extension EtcdTokens.JWT {
    fileprivate init(
        _ options: ArraySlice<Substring>, _ source: String
    ) throws(EtcdFlags.Failure) {
        func failure(_ text: String) -> EtcdFlags.Failure {
            EtcdFlags.Failure(description: "\(source): \(text)")
        }
        method = ""
        for option in options {
            let sides = option.split(separator: "=", maxSplits: 1)
            guard sides.count == 2 else { throw failure("\(option) is not NAME=VALUE") }
            let value = String(sides[1])
            switch sides[0] {
            case "sign-method": method = value
            case "priv-key": privateKeyFile = value
            case "pub-key": publicKeyFile = value
            case "ttl":
                guard let seconds = AutoCompaction.seconds(value), seconds > 0 else {
                    throw failure("ttl=\(value) is not a time as 5m")
                }
                lifeSeconds = seconds
            default: throw failure("\(sides[0]) is none of sign-method, priv-key, pub-key, ttl")
            }
        }
        if method.isEmpty { throw failure("jwt needs sign-method") }
        if privateKeyFile == nil, publicKeyFile == nil {
            throw failure("jwt needs priv-key or pub-key")
        }
    }
}
