import APIServer
import Basics
import Controllers
import EtcdAPI
import HTTP
import NIOCore
import Objects
import Scheduler
import Store

/// What makes a cluster of a store: API server, controllers and scheduler.
struct ControlPlane {
    let directory: DataDirectory
    let replica: ClusterLayout.Replica
    let store: any Store
    let log: ProcessLog
    var limits = HTTPLimits()

    /// Opens the API port; returns when the objects are there that every cluster has.
    func serve(_ group: any EventLoopGroup) async throws -> HTTPServer {
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
            host: replica.host, port: replica.apiPort,
            tls: try CertificateFiles.server(
                directory.pkiPath, replica.name, "api", authority: "api-ca",
                warn: { log.line($0) }),
            group: group, limits: limits, handler: server.handler,
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

    /// Controllers and scheduler, until the task is cancelled.
    func run() async {
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
        }
    }
}
