import Basics
import Documents
import HTTP
import NIOCore
import PKI

/// A store that this cluster does not run itself: the client ports of an etcd cluster, or of
/// another Martlet, and the files that open them.
struct ExternalStore: Sendable, Hashable {
    /// `https://HOST:PORT`, as they were given.
    var endpoints: [String]
    /// Absolute paths.
    var authorityPath: String?
    var certificatePath: String?
    var keyPath: String?

    /// For a message.
    var text: String { endpoints.joined(separator: ",") }

    var json: JSON {
        var json: JSON = ["endpoints": .array(endpoints.map { .string($0) })]
        for (name, path) in [
            ("cacert", authorityPath), ("cert", certificatePath), ("key", keyPath),
        ] {
            if let path { json[name] = .string(path) }
        }
        return json
    }

    init(
        endpoints: [String], authorityPath: String? = nil, certificatePath: String? = nil,
        keyPath: String? = nil
    ) {
        self.endpoints = endpoints
        self.authorityPath = authorityPath
        self.certificatePath = certificatePath
        self.keyPath = keyPath
    }

    /// Nil when there are no endpoints in it.
    init?(json: JSON) {
        let endpoints = (json["endpoints"]?.arrayValue ?? []).compactMap { $0.stringValue }
        guard !endpoints.isEmpty else { return nil }
        self.init(
            endpoints: endpoints, authorityPath: json["cacert"]?.stringValue,
            certificatePath: json["cert"]?.stringValue, keyPath: json["key"]?.stringValue)
    }

    /// What the flags that name the parts are called, for messages.
    struct Flags: Sendable {
        var endpoints = "--store-endpoints"
        var authority = "--store-cacert"
        var pair = "--store-cert and --store-key"
    }

    func addresses() throws(CommandError) -> [GRPCChannel.Endpoint] {
        var parsed: [GRPCChannel.Endpoint] = []
        for url in endpoints { parsed.append(try Self.address(url)) }
        return parsed
    }

    /// Nil for plaintext. The files are looked at here, where their names are known.
    func tls(_ flags: Flags = Flags()) throws(CommandError) -> TLSClientOptions? {
        let secure = endpoints.filter { $0.hasPrefix("https://") }
        guard !secure.isEmpty else { return nil }
        guard secure.count == endpoints.count else {
            throw CommandError("\(flags.endpoints): some are https and others are not")
        }
        guard let authorityPath else {
            throw CommandError("\(flags.authority) is needed for https endpoints")
        }
        let authority = try CertificateFiles.authority(authorityPath)
        if certificatePath == nil, keyPath == nil {
            return TLSClientOptions(authorityPEM: authority)
        }
        guard let certificatePath, let keyPath else {
            throw CommandError("\(flags.pair) are given both or not at all")
        }
        let pair = try CertificateFiles.pair(certificate: certificatePath, key: keyPath)
        if let reason = CertificatePair.invalidity(pair.certificatePEM, at: .now()) {
            throw CommandError("\(certificatePath) \(reason)")
        }
        return TLSClientOptions(
            authorityPEM: authority, certificateChainPEM: pair.certificatePEM,
            privateKeyPEM: pair.keyPEM)
    }

    private static func address(_ url: String) throws(CommandError) -> GRPCChannel.Endpoint {
        var rest = url[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let colon = rest.lastIndex(of: ":"),
            let port = Int(rest[rest.index(after: colon)...]),
            (1...65_535).contains(port), colon > rest.startIndex
        else { throw CommandError("bad endpoint \(url): it is [http[s]://]HOST:PORT") }
        return GRPCChannel.Endpoint(host: String(rest[..<colon]), port: port)
    }
}
