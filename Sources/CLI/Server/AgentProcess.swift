import Documents
import Objects
import Basics
import HTTP
import Keyspace
import NIOCore
import NIOPosix
import NodeAgent
import PKI
import Store

/// One node agent: it reaches the store through the gate on the API ports, and holds a tunnel to
/// every API server, over which logs are asked for.
struct AgentProcess {
    let directory: DataDirectory
    let layout: ClusterLayout
    let node: String
    let log: ProcessLog
    let link: SupervisorLink?

    /// Why an agent ends: a cluster that stops takes its pods along, an agent alone leaves them.
    enum StopReason: Sendable {
        case signal
        case supervisorGone
    }

    func run(until stop: StopLatch, reason: @escaping @Sendable () -> StopReason) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let tls = try clientTLS()
        let endpoints = layout.replicas.map {
            GRPCChannel.Endpoint(host: $0.host, port: $0.apiPort)
        }
        let channel = GRPCChannel(endpoints: endpoints, tls: tls, group: group)
        let store = RemoteStore(channel: channel)
        let runtime = try await makeRuntime(group)
        let agent = NodeAgent(
            NodeAgent.Configuration(
                nodeName: node, directory: directory.nodePath(node),
                hiddenPaths: [directory.path]),
            store: store, runtime: runtime)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await agent.run() }
            for endpoint in endpoints {
                tasks.addTask { await keepTunnel(to: endpoint, tls, agent, group) }
            }
            tasks.addTask { await reportWhenReady(store) }
            await stop.wait()
            if reason() == .signal { await agent.stopPods() }
            tasks.cancelAll()
        }
        channel.close()
        try? await group.shutdownGracefully()
    }

    private func makeRuntime(_ group: any EventLoopGroup) async throws -> ProcessRuntime {
        let program = try executablePath()
        let folder = program.prefix(upTo: program.lastIndex(of: "/") ?? program.startIndex)
        let configuration = ProcessRuntime.Configuration(
            directory: directory.nodePath(node), nodeName: node,
            clusterID: hexadecimal(layout.clusterID), shimPath: folder + "/martlet-shim",
            hiddenPaths: [directory.path])
        return try await ProcessRuntime(configuration, group: group)
    }

    private func clientTLS() throws(CommandError) -> TLSClientOptions {
        let base = "\(directory.pkiPath)/\(node)"
        let pair = try CertificateFiles.pair(certificate: base + ".crt", key: base + ".key")
        return TLSClientOptions(
            authorityPEM: try CertificateFiles.authority(directory.pkiPath + "/api-ca.crt"),
            certificateChainPEM: pair.certificatePEM, privateKeyPEM: pair.keyPEM)
    }

    /// Dials again whenever the tunnel closes; ends with the task.
    private func keepTunnel(
        to endpoint: GRPCChannel.Endpoint, _ tls: TLSClientOptions, _ agent: NodeAgent,
        _ group: any EventLoopGroup
    ) async {
        var delay = 50
        while !Task.isCancelled {
            if let tunnel = try? await HTTPTunnel.serve(
                host: endpoint.host, port: endpoint.port, tls: tls, group: group,
                handler: agent.logHandler)
            {
                delay = 50
                await withTaskCancellationHandler {
                    await tunnel.waitUntilClosed()
                } onCancel: {
                    tunnel.close()
                }
            }
            try? await Task.sleep(for: .milliseconds(delay))
            delay = min(delay * 2, 1_000)
        }
    }

    private func reportWhenReady(_ store: RemoteStore) async {
        let key = ResourceKind.node.key(namespace: "", name: node)
        while !Task.isCancelled {
            if let found = try? await store.range(RangeRequest(.key(key))).keyValues.first,
                let object = try? Object.decode(found), isReady(object)
            {
                link?.send(.ready)
                return
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    private func isReady(_ node: Object) -> Bool {
        let conditions = node.json.path("status", "conditions")?.elements ?? []
        return conditions.contains {
            $0["type"]?.stringValue == "Ready" && $0["status"]?.stringValue == "True"
        }
    }
}
