/// Where a member listens for its peers.
package struct PeerAddress: Sendable, Hashable {
    package var host: String
    package var port: Int

    /// `HOST:PORT`; nil for anything else. An IPv6 host stands in brackets.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !host.contains("/") else { return nil }
        self.host = String(host)
        self.port = port
    }

    /// `http://HOST:PORT` or `https://HOST:PORT`.
    package init?(url: String) {
        for scheme in ["https://", "http://"] where url.hasPrefix(scheme) {
            self.init(String(url.dropFirst(scheme.count)))
            return
        }
        return nil
    }
}
