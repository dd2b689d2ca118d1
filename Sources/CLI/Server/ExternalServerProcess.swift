import Basics
import HTTP
import Keyspace
import NIOCore
import NIOPosix
import Store

/// One server without a replica: the API server, controllers and scheduler over the client ports
/// of an etcd cluster.
struct ExternalServerProcess {
    /// A read whose member goes away is asked again of the others for so long.
    private static let patienceMilliseconds: UInt64 = 5_000

    let directory: DataDirectory
    let replica: ClusterLayout.Replica
    let external: ExternalStore
    /// 0: another looks after the compaction.
    let compactionSeconds: UInt64
    let log: ProcessLog
    let link: SupervisorLink?

    /// Runs until `stop` ends.
    func run(until stop: StopLatch) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let tls = try external.tls()
        let endpoints = try external.addresses()
        // Servers begin with different members.
        let first = (replica.number - 1) % endpoints.count
        let channel = GRPCChannel(
            endpoints: Array(endpoints[first...] + endpoints[..<first]), tls: tls, group: group)
        let store = RemoteStore(
            channel: channel, patienceMilliseconds: Self.patienceMilliseconds)
        let wait = ExternalStoreWait(external, endpoints, tls, group)
        var port: HTTPServer?
        if await waitForStore(store, wait, stop) {
            let plane = ControlPlane(
                directory: directory, replica: replica, store: store, log: log)
            port = try await plane.serve(group)
            link?.send(.ready)
            let compaction = CompactionService(
                store: store, intervalSeconds: compactionSeconds, log: { log.line($0) })
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await plane.run() }
                tasks.addTask { await compaction.run() }
                await stop.wait()
                tasks.cancelAll()
            }
        }
        log.line("\(replica.name) stops")
        await port?.stop()
        channel.close()
        try? await group.shutdownGracefully()
    }

    /// False if the process is to stop first.
    private func waitForStore(
        _ store: RemoteStore, _ wait: ExternalStoreWait, _ stop: StopLatch
    ) async -> Bool {
        var told = ""
        while !stop.isRaised {
            let look = await wait.look(store)
            if let version = look.version {
                store.use(version)
                log.line("the state is in etcd \(version) at \(external.text)")
                for trouble in look.troubles { log.line(trouble) }
                return true
            }
            let reason = "for etcd at \(external.text): " + look.troubles.joined(separator: "; ")
            if reason != told {
                log.line("waits \(reason)")
                link?.send(.waiting(reason))
            }
            told = reason
            try? await Task.sleep(for: .milliseconds(500))
        }
        return false
    }
}

/// Finds out whether an etcd cluster is there: asks each of its members, and then for a quorum.
struct ExternalStoreWait {
    private static let timeoutMilliseconds: Int64 = 3_000

    struct Look {
        /// The oldest of the members that answered; nil while the cluster cannot serve.
        var version: ServerVersion?
        /// Members that did not answer, and why.
        var troubles: [String] = []
    }

    private let external: ExternalStore
    private let endpoints: [GRPCChannel.Endpoint]
    private let tls: TLSClientOptions?
    private let group: any EventLoopGroup

    init(
        _ external: ExternalStore, _ endpoints: [GRPCChannel.Endpoint], _ tls: TLSClientOptions?,
        _ group: any EventLoopGroup
    ) {
        self.external = external
        self.endpoints = endpoints
        self.tls = tls
        self.group = group
    }

    func look(_ store: RemoteStore) async -> Look {
        var look = Look()
        var versions: [ServerVersion] = []
        for (endpoint, url) in zip(endpoints, external.endpoints) {
            let channel = GRPCChannel(endpoints: [endpoint], tls: tls, group: group)
            defer { channel.close() }
            let member = RemoteStore(
                channel: channel, timeoutMilliseconds: Self.timeoutMilliseconds)
            do throws(StoreError) {
                versions.append(try await member.version())
            } catch {
                look.troubles.append("\(url): \(error.message)")
            }
        }
        guard let oldest = versions.min() else { return look }
        do throws(StoreError) {
            _ = try await store.range(RangeRequest(.key(CompactionRound.key)))
            look.version = oldest
        } catch {
            look.troubles.append(error.message)
        }
        return look
    }
}
