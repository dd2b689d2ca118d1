import Basics
import Documents

/// Ed25519 keys as OpenSSL writes them (RFC 8410): a fixed DER head before 32 bytes.
enum Ed25519PEM {
    struct NotAKey: Error, CustomStringConvertible {
        var description: String { "not an Ed25519 key in PEM" }
    }

    private static let privateHead: Bytes = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ]
    private static let publicHead: Bytes = [
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ]

    static func privateKey(_ text: String) throws(NotAKey) -> Bytes {
        try key(text, behind: privateHead)
    }

    static func publicKey(_ text: String) throws(NotAKey) -> Bytes {
        try key(text, behind: publicHead)
    }

    private static func key(_ text: String, behind head: Bytes) throws(NotAKey) -> Bytes {
        let body = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
            .filter { !$0.isWhitespace }
        guard case .success(let der) = Base64.decode(body), der.count == head.count + 32,
            der.starts(with: head)
        else { throw NotAKey() }
        return Bytes(der.dropFirst(head.count))
    }
}
