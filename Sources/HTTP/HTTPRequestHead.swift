/// What a request says before its body.
package struct HTTPRequestHead: Sendable {
    package var method: String
    /// Percent-encoded as it came, without the query.
    package var path: String
    /// What follows the first `?`, as it came; empty if there is none.
    package var query: String
    package var headers: HTTPHeaders
    package var authority: String
    package var isHTTP2: Bool
    /// Nil on plaintext ports and when the client showed no certificate.
    package var peer: PeerIdentity?

    package init(
        method: String, path: String, query: String = "", headers: HTTPHeaders = [:],
        authority: String = "", isHTTP2: Bool = true, peer: PeerIdentity? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.authority = authority
        self.isHTTP2 = isHTTP2
        self.peer = peer
    }

    /// Splits a request target at its first `?`.
    static func split(target: String) -> (path: String, query: String) {
        guard let mark = target.utf8.firstIndex(of: 0x3f) else { return (target, "") }
        return (String(target[..<mark]), String(target[target.utf8.index(after: mark)...]))
    }
}
