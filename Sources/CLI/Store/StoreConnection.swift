import ArgumentParser
import Basics
import HTTP
import NIOCore
import NIOPosix
import PKI
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

    @Option(help: "User and password as NAME:PASSWORD, for a store with auth enabled.")
    var user: String?

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
    private let token: String?

    init(_ options: StoreConnectionOptions) async throws(CommandError) {
        let external = try Self.external(options)
        endpoints = try external.addresses()
        guard !endpoints.isEmpty else { throw CommandError("--endpoints is empty") }
        tls = try external.tls(
            .init(endpoints: "--endpoints", authority: "--cacert", pair: "--cert and --key"))
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        token = try await StoreLogin.token(
            options.user, GRPCChannel(endpoints: endpoints, tls: tls, group: group))
        channel = GRPCChannel(endpoints: endpoints, tls: tls, group: group, token: token)
        store = RemoteStore(channel: channel)
    }

    /// A channel to one endpoint alone.
    func channel(to endpoint: GRPCChannel.Endpoint) -> GRPCChannel {
        GRPCChannel(endpoints: [endpoint], tls: tls, group: group, token: token)
    }

    private static func external(
        _ options: StoreConnectionOptions
    ) throws(CommandError) -> ExternalStore {
        if let given = options.endpoints {
            return ExternalStore(
                endpoints: given.split(separator: ",").map(String.init),
                authorityPath: options.cacert, certificatePath: options.cert,
                keyPath: options.key)
        }
        let directory = DataDirectory(options.dataDir)
        let layout = try directory.readLayout()
        let pki = directory.pkiPath
        return layout.externalStore
            ?? ExternalStore(
                endpoints: layout.storeEndpoints, authorityPath: pki + "/ca.crt",
                certificatePath: pki + "/client.crt", keyPath: pki + "/client.key")
    }
}
