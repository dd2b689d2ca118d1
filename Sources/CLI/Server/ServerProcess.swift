import Basics
import EtcdAPI
import Glibc
import HTTP
import Keyspace
import NIOCore
import NIOPosix
import Replica
import ReplicaCore
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
    let options: ServerOptions
    /// Of all ports together.
    let budget = MemoryBudget(limitBytes: MemoryLimit.budgetBytes)

    /// Runs until `stop` ends; then everything is synced and closed.
    func run(until stop: StopLatch) async throws {
        DescriptorLimit.raise()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        // What clients do must not hold up heartbeats.
        let peerGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let running = try Replica.start(try configuration(peerGroup))
        let store = LocalStore(running)
        let storePorts = try await startStorePorts(store, running, group)
        for port in storePorts {
            log.line("\(replica.name) serves etcd clients on port \(port.port)")
        }
        watchDirectory(group, stop)
        var apiPort: HTTPServer?
        if await waitForStore(store, running, stop) {
            let plane =
                layout.isStoreOnly
                ? nil
                : ControlPlane(
                    directory: directory, replica: replica, store: store, log: log,
                    limits: limits)
            apiPort = try await plane?.serve(group)
            try noteBootstrap()
            link?.send(.ready)
            await runPlugins(plane, store, running, until: stop)
        }
        log.line("\(replica.name) stops")
        await apiPort?.stop()
        for port in storePorts { await port.stop() }
        running.stop()
        try? await group.shutdownGracefully()
        try? await peerGroup.shutdownGracefully()
    }

    private func configuration(
        _ group: any EventLoopGroup
    ) throws(CommandError) -> ReplicaConfiguration {
        let pki = directory.pkiPath
        var tls = options.peerTLS
        if !layout.isPlaintext, tls == nil {
            try checkCertificates("peer", authority: "peer-ca")
            tls = ReplicaConfiguration.PeerTLS(
                authorityPEM: try Files.readText(pki + "/peer-ca.crt"),
                certificatePEM: try Files.readText("\(pki)/\(replica.name)/peer.crt"),
                keyPEM: try Files.readText("\(pki)/\(replica.name)/peer.key"))
        }
        var configuration = ReplicaConfiguration(
            directory: directory.replicaPath(replica.number), clusterID: layout.clusterID,
            name: replica.name, members: layout.members, tls: layout.isPlaintext ? nil : tls,
            group: group, seed: UInt64(getpid()) ^ replica.memberID)
        configuration.isNewCluster = !layout.isBootstrapped
        configuration.hasReadLeases = options.hasReadLeases
        configuration.hashCheckMilliseconds = options.hashCheckMilliseconds
        configuration.quotaBytes = options.quotaBytes
        configuration.inPlaceBytesMax = Int64(MemoryLimit.bytes / 2)
        configuration.budget = budget
        configuration.entryBytesInMemoryMax = MemoryLimit.entryBytes
        configuration.peerListener = options.peerListener
        if let heartbeat = options.heartbeatMilliseconds {
            configuration.heartbeatMilliseconds = heartbeat
        }
        if let election = options.electionMilliseconds {
            configuration.electionMilliseconds = election
        }
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

    private func checkCertificates(_ name: String, authority: String) throws(CommandError) {
        let warnings = try CertificateFiles.check(
            directory.pkiPath, replica.name, name, authority: authority, now: .now())
        for warning in warnings { log.line("\(warning): nobody takes it") }
    }

    // MARK: Ports

    private var limits: HTTPLimits {
        var limits = HTTPLimits()
        limits.connectionsMax = DescriptorLimit.connectionsMax(ports: layout.isStoreOnly ? 1 : 2)
        limits.budget = budget
        return limits
    }

    private func startStorePorts(
        _ store: LocalStore, _ running: Replica, _ group: any EventLoopGroup
    ) async throws -> [HTTPServer] {
        let handler = EtcdAPI.handler(
            store: store,
            admin: ReplicaAdmin(
                running, folder: directory.replicaPath(replica.number) + "/snapshots"),
            auth: LocalAuth(running), authOptions: options.auth,
            electionMilliseconds: running.electionMilliseconds,
            progressMilliseconds: options.progressMilliseconds,
            metrics: [running, ProcessMetrics()])
        let ports =
            try options.clientPorts
            ?? [
                ServerOptions.Port(
                    host: replica.host, port: replica.storePort,
                    tls: layout.isPlaintext
                        ? nil
                        : try CertificateFiles.server(
                            directory.pkiPath, replica.name, "store", authority: "ca",
                            clientCertificates: .required, warn: { log.line($0) }))
            ]
        var started: [HTTPServer] = []
        for port in ports { started.append(try await start(port, handler, group)) }
        for port in options.metricsPorts {
            started.append(try await start(port, handler.pagesOnly, group))
        }
        return started
    }

    private func start(
        _ port: ServerOptions.Port, _ handler: EtcdPort, _ group: any EventLoopGroup
    ) async throws -> HTTPServer {
        try await HTTPServer.start(
            host: port.host, port: port.port, tls: port.tls, group: group, limits: limits,
            handler: handler, log: { log.line($0) })
    }

    /// From now on an empty directory of this replica has lost data.
    private func noteBootstrap() throws(CommandError) {
        guard options.notesBootstrap, !layout.isBootstrapped else { return }
        var layout = layout
        layout.isBootstrapped = true
        try directory.write(layout)
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
        _ plane: ControlPlane?, _ store: LocalStore, _ running: Replica, until stop: StopLatch
    ) async {
        let schedule = SnapshotSchedule(
            snapshots, running, logPath: directory.replicaPath(replica.number) + "/log", log: log)
        let compaction = options.compaction.map { AutoCompactionService($0, store, log) }
        await withTaskGroup(of: Void.self) { tasks in
            if let plane { tasks.addTask { await plane.run() } }
            tasks.addTask { await schedule.run() }
            tasks.addTask { await compaction?.run() }
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
