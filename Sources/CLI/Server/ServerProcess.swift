import APIServer
import Basics
import Controllers
import EtcdAPI
import Glibc
import HTTP
import Keyspace
import NIOCore
import NIOPosix
import Objects
import Replica
import ReplicaCore
import Scheduler
import Store

/// One server: a store replica with its client port, and beside it the API server, controllers
/// and scheduler.
struct ServerProcess {
    let directory: DataDirectory
    let layout: ClusterLayout
    let replica: ClusterLayout.Replica
    let log: ProcessLog
    let link: SupervisorLink?
    let snapshots: SnapshotSchedule.Options
    let hasReadLeases: Bool
    let hashCheckMilliseconds: UInt64

    /// Runs until `stop` ends; then everything is synced and closed.
    func run(until stop: StopLatch) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let running = try Replica.start(try configuration(group))
        let store = LocalStore(running)
        let storePort = try await startStorePort(store, running, group)
        log.line("\(replica.name) serves etcd clients on port \(storePort.port)")
        watchDirectory(group, stop)
        var apiPort: HTTPServer?
        if await waitForStore(store, running, stop) {
            apiPort = layout.isStoreOnly ? nil : try await startAPI(store, group)
            link?.send(.ready)
            await runPlugins(store, running, until: stop)
        }
        log.line("\(replica.name) stops")
        await apiPort?.stop()
        await storePort.stop()
        running.stop()
        try? await group.shutdownGracefully()
    }

    private func configuration(
        _ group: any EventLoopGroup
    ) throws(CommandError) -> ReplicaConfiguration {
        let pki = directory.pkiPath
        if !layout.isPlaintext {
            try CertificateFiles.check(pki, replica.name, "peer", authority: "peer-ca")
        }
        let tls = ReplicaConfiguration.PeerTLS(
            authorityPEM: try Files.readText(pki + "/peer-ca.crt"),
            certificatePEM: try Files.readText("\(pki)/\(replica.name)/peer.crt"),
            keyPEM: try Files.readText("\(pki)/\(replica.name)/peer.key"))
        var configuration = ReplicaConfiguration(
            directory: directory.replicaPath(replica.number), clusterID: layout.clusterID,
            name: replica.name, members: layout.members, tls: layout.isPlaintext ? nil : tls,
            group: group, seed: UInt64(getpid()) ^ replica.memberID)
        configuration.isNewCluster = !layout.isBootstrapped
        configuration.hasReadLeases = hasReadLeases
        configuration.hashCheckMilliseconds = hashCheckMilliseconds
        configuration.campaignsAtOnce = replica.number == 1 && !layout.isBootstrapped
        let (log, link) = (log, link)
        configuration.notice = { log.line("replica: \($0)") }
        configuration.onFailure = { failure in
            log.line("the replica has failed: \(failure)")
            link?.send(.failed("\(failure)"))
            exit(failure.exitCode)
        }
        return configuration
    }

    // MARK: Ports

    private func tls(_ name: String, authority: String) throws(CommandError) -> TLSServerOptions {
        let pki = directory.pkiPath
        try CertificateFiles.check(pki, replica.name, name, authority: authority)
        return TLSServerOptions(
            certificateChainPEM: try Files.readText("\(pki)/\(replica.name)/\(name).crt"),
            privateKeyPEM: try Files.readText("\(pki)/\(replica.name)/\(name).key"),
            clientAuthorityPEM: try Files.readText("\(pki)/\(authority).crt"),
            clientCertificates: name == "store" ? .required : .optional)
    }

    private func startStorePort(
        _ store: LocalStore, _ running: Replica, _ group: any EventLoopGroup
    ) async throws -> HTTPServer {
        return try await HTTPServer.start(
            host: replica.host, port: replica.storePort,
            tls: layout.isPlaintext ? nil : try tls("store", authority: "ca"), group: group,
            handler: EtcdAPI.handler(
                store: store,
                admin: ReplicaAdmin(
                    running, folder: directory.replicaPath(replica.number) + "/snapshots")),
            log: { log.line($0) })
    }

    private func startAPI(
        _ store: LocalStore, _ group: any EventLoopGroup
    ) async throws -> HTTPServer {
        var options = APIServer.Options()
        options.port = replica.apiPort
        options.log = { log.line($0) }
        options.agentHandler = { _, node in
            var router = GRPCRouter()
            EtcdAPI.register(
                on: &router,
                store: GatedStore(store, node: node, inspector: ObjectInspector()))
            return router
        }
        let server = APIServer(store: store, options: options)
        let port = try await HTTPServer.start(
            host: replica.host, port: replica.apiPort, tls: try tls("api", authority: "api-ca"),
            group: group, handler: server.handler,
            onTunnel: { server.tunnels.accept($0, $1) }, log: { log.line($0) })
        log.line("\(replica.name) serves the Kubernetes API on port \(port.port)")
        while true {
            do {
                try await server.bootstrap()
                return port
            } catch {
                log.line("bootstrap of the API waits: \(error.message)")
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    // MARK: Life

    /// Waits until the store answers a linearizable read; false if the process is to stop first.
    private func waitForStore(
        _ store: LocalStore, _ running: Replica, _ stop: StopLatch
    ) async -> Bool {
        var hasReported = false
        while !stop.isRaised {
            if running.status.isWaitingForReplacement, !hasReported {
                hasReported = true
                log.line(
                    "the directory is empty and the cluster is not new: no vote until replaced")
                link?.send(.empty)
            } else if (try? await store.range(RangeRequest(.key([0x2f]), limit: 1))) != nil {
                return true
            }
            try? await Task.sleep(for: .milliseconds(running.keyspace == nil ? 200 : 20))
        }
        return false
    }

    private func runPlugins(
        _ store: LocalStore, _ running: Replica, until stop: StopLatch
    ) async {
        let schedule = SnapshotSchedule(
            snapshots, running, logPath: directory.replicaPath(replica.number) + "/log", log: log)
        guard !layout.isStoreOnly else {
            return await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await schedule.run() }
                await stop.wait()
                tasks.cancelAll()
            }
        }
        var controllers = ControllerService.Configuration()
        controllers.log = { log.line($0) }
        controllers.rootCertificatePEM = try? Files.readText(directory.pkiPath + "/api-ca.crt")
        var scheduler = SchedulerService.Configuration()
        scheduler.log = { log.line($0) }
        let controllerService = ControllerService(store: store, controllers)
        let schedulerService = SchedulerService(store: store, scheduler)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await controllerService.run() }
            tasks.addTask { await schedulerService.run() }
            tasks.addTask { await schedule.run() }
            await stop.wait()
            tasks.cancelAll()
        }
    }

    /// A directory removed under a running replica must not go on collecting acknowledgements:
    /// its files have no name any more. The process ends and comes back as a replica that lost
    /// its directory.
    private func watchDirectory(_ group: any EventLoopGroup, _ stop: StopLatch) {
        let path = directory.replicaPath(replica.number)
        let (log, link) = (log, link)
        let first = Files.identity(path)
        group.next().scheduleRepeatedTask(
            initialDelay: .milliseconds(500), delay: .milliseconds(500)
        ) { _ in
            guard !stop.isRaised, Files.identity(path) != first else { return }
            log.line("\(path) was removed under the running replica")
            link?.send(.failed("\(path) was removed under the running replica"))
            exit(1)
        }
    }
}
