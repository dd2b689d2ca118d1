/// A URL as etcd's flags have them: scheme, host and port, and nothing else.
package struct EtcdURL: Sendable, Hashable {
    package var isSecure: Bool
    package var host: String
    package var port: Int

    package init?(_ text: some StringProtocol) {
        let text = String(text)
        let rest: Substring
        if text.hasPrefix("https://") {
            isSecure = true
            rest = text.dropFirst(8)
        } else if text.hasPrefix("http://") {
            isSecure = false
            rest = text.dropFirst(7)
        } else {
            return nil
        }
        guard let colon = rest.lastIndex(of: ":"), colon > rest.startIndex,
            let port = UInt16(rest[rest.index(after: colon)...]), port > 0
        else { return nil }
        host = String(rest[..<colon])
        self.port = Int(port)
        guard !host.contains("/"), !host.contains("@") else { return nil }
    }

    package var text: String { "\(isSecure ? "https" : "http")://\(host):\(port)" }

    /// What to bind: names of this machine become its address.
    package var address: String { host == "localhost" ? "127.0.0.1" : host }

    package var isLoopback: Bool { address.hasPrefix("127.") || address == "[::1]" }
}

extension EtcdFlags {
    /// URLs between commas. Plaintext is for loopback.
    package func urls(_ name: String, default fallback: String) throws(Failure) -> [EtcdURL] {
        let text = text(name, default: fallback)
        var urls: [EtcdURL] = []
        for part in text.split(separator: ",") where !part.isEmpty {
            guard let url = EtcdURL(part) else {
                throw Failure(
                    description: "\(source(name)): \(part) is not http://HOST:PORT or https://…")
            }
            urls.append(url)
        }
        return urls
    }

    func requireLoopbackIfPlain(_ urls: [EtcdURL], _ name: String) throws(Failure) {
        for url in urls where !url.isSecure && !url.isLoopback {
            throw Failure(
                description: "\(source(name)): \(url.text) is plaintext beyond loopback; use https"
                    + " with certificates")
        }
    }
}
