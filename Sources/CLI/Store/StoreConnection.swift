import ArgumentParser
import Basics
import HTTP
import NIOCore
import NIOPosix
import Store

/// How a store command finds the store: a data directory, or endpoints as etcdctl has them.
struct StoreConnectionOptions: ParsableArguments {
    @Option(help: "Folder of the cluster; its ports and certificates are used.")
    var dataDir = ".martlet"

    @Option(help: "Comma-separated endpoints instead, for example https://127.0.0.1:2379.")
    var endpoints: String?

    @Option(help: "Authority of the servers' certificates (PEM file).")
    var cacert: String?

    @Option(help: "Client certificate (PEM file).")
    var cert: String?

    @Option(help: "Key of the client certificate (PEM file).")
    var key: String?

    /// The data directory, if that is what was given.
    var directory: DataDirectory? { endpoints == nil ? DataDirectory(dataDir) : nil }
}

/// A connection to the store's client ports, and what made it.
struct StoreConnection {
    let channel: GRPCChannel
    let store: RemoteStore
    let endpoints: [GRPCChannel.Endpoint]
    let tls: TLSClientOptions?
    let group: MultiThreadedEventLoopGroup

    init(_ options: StoreConnectionOptions) throws(CommandError) {
        let urls: [String]
        if let given = options.endpoints {
            urls = given.split(separator: ",").map(String.init)
            tls = try Self.tls(
                urls: urls, authority: options.cacert, certificate: options.cert, key: options.key)
        } else {
            let directory = DataDirectory(options.dataDir)
            urls = try directory.readLayout().storeEndpoints
            tls = try Self.tls(
                urls: urls, authority: directory.pkiPath + "/ca.crt",
                certificate: directory.pkiPath + "/client.crt",
                key: directory.pkiPath + "/client.key")
        }
        var parsed: [GRPCChannel.Endpoint] = []
        for url in urls { parsed.append(try Self.endpoint(url)) }
        guard !parsed.isEmpty else { throw CommandError("--endpoints is empty") }
        endpoints = parsed
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        channel = GRPCChannel(endpoints: endpoints, tls: tls, group: group)
        store = RemoteStore(channel: channel)
    }

    /// A channel to one endpoint alone.
    func channel(to endpoint: GRPCChannel.Endpoint) -> GRPCChannel {
        GRPCChannel(endpoints: [endpoint], tls: tls, group: group)
    }

    private static func tls(
        urls: [String], authority: String?, certificate: String?, key: String?
    ) throws(CommandError) -> TLSClientOptions? {
        guard urls.contains(where: { $0.hasPrefix("https://") }) else { return nil }
        guard let authority else { throw CommandError("--cacert is needed for https endpoints") }
        return TLSClientOptions(
            authorityPEM: try Files.readText(authority),
            certificateChainPEM: try readOptional(certificate),
            privateKeyPEM: try readOptional(key))
    }

    private static func readOptional(_ path: String?) throws(CommandError) -> String? {
        guard let path else { return nil }
        return try Files.readText(path)
    }

    private static func endpoint(_ url: String) throws(CommandError) -> GRPCChannel.Endpoint {
        var rest = url[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
        }
        guard let colon = rest.lastIndex(of: ":"),
            let port = Int(rest[rest.index(after: colon)...]),
            (1...65_535).contains(port), colon > rest.startIndex
        else { throw CommandError("bad endpoint \(url): it is [http[s]://]HOST:PORT") }
        return GRPCChannel.Endpoint(host: String(rest[..<colon]), port: port)
    }
}
