import EtcdAPI
import HTTP
import Replica

/// A server that etcd's flags describe: its folder, the cluster's layout, and what it is told.
struct EtcdMember {
    let options: EtcdOptions
    let flags: EtcdFlags
    let directory: DataDirectory

    init(_ flags: EtcdFlags) throws(EtcdFlags.Failure) {
        self.flags = flags
        options = try EtcdOptions(flags)
        directory = DataDirectory(options.dataDirectory)
    }

    /// The layout that is in the folder, with this start's addresses, or that of a new cluster.
    func layOut() throws(CommandError) -> ClusterLayout {
        try Files.makeDirectory(directory.path, mode: 0o700)
        var layout: ClusterLayout
        if directory.hasLayout {
            layout = try directory.readLayout()
            guard layout.replicas.contains(where: { $0.name == options.name }) else {
                throw CommandError(
                    "\(directory.path) holds members"
                        + " \(layout.replicas.map(\.name).joined(separator: ", ")), and not"
                        + " \(options.name): give its --name, or --replica N for a cluster of"
                        + " `martlet up`")
            }
        } else {
            guard !options.isExisting else {
                throw CommandError(
                    "--initial-cluster-state existing: \(directory.path) holds no member; new"
                        + " members are added with `martlet store member add`, see"
                        + " docs/etcd-flags.md")
            }
            layout = ClusterLayout(
                clusterID: options.clusterID, replicas: [], nodes: [], isStoreOnly: true,
                isPlaintext: !options.listenPeer.isSecure, isBootstrapped: false)
        }
        for member in options.members { place(member, in: &layout) }
        try directory.write(layout)
        return layout
    }

    /// Members are those of the first start; addresses may change.
    private func place(_ member: EtcdOptions.Member, in layout: inout ClusterLayout) {
        let known = layout.replicas.firstIndex { $0.name == member.name }
        guard known != nil || !layout.isBootstrapped else { return }
        var replica =
            known.map { layout.replicas[$0] }
            ?? ClusterLayout.Replica(
                number: layout.replicas.count + 1, memberID: member.id, storePort: 0, apiPort: 0)
        replica.name = member.name
        replica.host = member.peerURL.address
        replica.peerPort = member.peerURL.port
        if member.name == options.name { replica.clientURLs = options.advertiseClients }
        if let known { layout.replicas[known] = replica } else { layout.replicas.append(replica) }
    }

    func serverOptions() throws -> ServerOptions {
        var server = ServerOptions()
        server.quotaBytes = options.quotaBytes
        server.heartbeatMilliseconds = options.heartbeatMilliseconds
        server.electionMilliseconds = options.electionMilliseconds
        if let period = options.corruptCheckMilliseconds { server.hashCheckMilliseconds = period }
        server.compaction = options.compaction
        if let period = options.progressMilliseconds { server.progressMilliseconds = period }
        server.notesBootstrap = true
        server.auth = EtcdAuthOptions(
            tokens: try tokens(), takesCertificateNames: try flags.isOn("client-cert-auth"))
        server.peerListener = (options.listenPeer.address, options.listenPeer.port)
        if options.listenPeer.isSecure { server.peerTLS = try peerTLS() }
        let tls = options.listenClients.contains(where: \.isSecure) ? try clientTLS() : nil
        server.clientPorts = options.listenClients.map { url in
            ServerOptions.Port(
                host: url.address, port: url.port, tls: url.isSecure ? tls : nil)
        }
        var pagesTLS = tls
        pagesTLS?.clientCertificates = .none
        if pagesTLS == nil, options.listenMetrics.contains(where: \.isSecure) {
            pagesTLS = try clientTLS()
            pagesTLS?.clientCertificates = .none
        }
        server.metricsPorts = options.listenMetrics.map { url in
            ServerOptions.Port(
                host: url.address, port: url.port, tls: url.isSecure ? pagesTLS : nil)
        }
        return server
    }

    private func tokens() throws(CommandError) -> TokenTable {
        switch options.tokens {
        case .simple(let lifeSeconds): return TokenTable(lifeSeconds: lifeSeconds)
        case .jwt(let jwt):
            do throws(JWTMint.Failure) {
                return TokenTable(
                    try JWTMint(
                        method: jwt.method, privatePEM: try text(jwt.privateKeyFile),
                        publicPEM: try text(jwt.publicKeyFile), lifeSeconds: jwt.lifeSeconds))
            } catch {
                throw CommandError("\(flags.source("auth-token")): \(error)")
            }
        }
    }

    private func text(_ file: String?) throws(JWTMint.Failure) -> String? {
        guard let file else { return nil }
        do { return try Files.readText(file) } catch {
            throw JWTMint.Failure(description: "\(error)")
        }
    }

    private func clientTLS() throws -> TLSServerOptions {
        let asksClients = try flags.isOn("client-cert-auth")
        let authority = flags.values["trusted-ca-file"]
        if asksClients, authority == nil {
            throw CommandError("--client-cert-auth needs --trusted-ca-file")
        }
        return TLSServerOptions(
            certificateChainPEM: try read("cert-file"), privateKeyPEM: try read("key-file"),
            clientAuthorityPEM: try authority.map { try Files.readText($0) },
            clientCertificates: asksClients ? .required : .none)
    }

    private func peerTLS() throws(CommandError) -> ReplicaConfiguration.PeerTLS {
        ReplicaConfiguration.PeerTLS(
            authorityPEM: try read("peer-trusted-ca-file"),
            certificatePEM: try read("peer-cert-file"), keyPEM: try read("peer-key-file"))
    }

    private func read(_ flag: String) throws(CommandError) -> String {
        guard let path = flags.values[flag], !path.isEmpty else {
            throw CommandError("https needs --\(flag)")
        }
        return try Files.readText(path)
    }
}
