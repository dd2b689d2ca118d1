import Basics
import CMartlet
package import NIOCore
import NIOPosix

/// Runs containers as process trees of this host, out of its own file system: images are recorded
/// and nothing is pulled. One `martlet-shim` process per pod holds them and outlives the agent.
package final class ProcessRuntime: ContainerRuntime {
    package struct Configuration: Sendable {
        /// The node's directory; pods stand under `pods/`.
        package var directory: String
        package var nodeName: String
        package var clusterID: String
        /// The `martlet-shim` executable.
        package var shimPath: String
        /// Directories that no container may see, the cluster's DATA-DIR among them.
        package var hiddenPaths: [String]
        /// Namespaces and mounts of their own for pods; nil asks whether the process may.
        package var isIsolated: Bool?

        package init(
            directory: String, nodeName: String, clusterID: String, shimPath: String,
            hiddenPaths: [String], isIsolated: Bool? = nil
        ) {
            self.directory = directory
            self.nodeName = nodeName
            self.clusterID = clusterID
            self.shimPath = shimPath
            self.hiddenPaths = hiddenPaths
            self.isIsolated = isIsolated
        }
    }

    struct Sandbox {
        var sandbox: PodSandbox
        var directory: PodDirectory
        var usesHostNetwork: Bool
        var connection: ShimConnection?
        var shimPID: Int32 = 0
        var isStopping = false
        var containers: [RuntimeContainer] = []
    }

    struct State {
        var network: PodNetwork
        var sandboxes: [String: Sandbox] = [:]
        var nextExec = 0
        var nextWaiter = 0
        /// By container and then by waiter.
        var exitWaiters: [String: [Int: CheckedContinuation<Void, Never>]] = [:]
        var handler: @Sendable (RuntimeEvent) -> Void = { _ in }
    }

    let configuration: Configuration
    package let isIsolated: Bool
    let group: any EventLoopGroup
    /// Blocking work: files, forks, netlink. Four at a time bounds what a burst of pods costs.
    let pool = NIOThreadPool(numberOfThreads: 4)
    let state: Locked<State>

    package let version = "martlet://0.1.0"

    /// Adopts the pods that an earlier agent left running and removes networks without a pod.
    package init(
        _ configuration: Configuration, group: any EventLoopGroup
    ) async throws(RuntimeError) {
        var configuration = configuration
        isIsolated = configuration.isIsolated ?? martlet_can_isolate()
        configuration.hiddenPaths = configuration.hiddenPaths.map { Files.resolved($0) ?? $0 }
        configuration.directory =
            Files.resolved(configuration.directory) ?? configuration.directory
        self.configuration = configuration
        self.group = group
        martlet_become_subreaper()
        let network = try PodNetwork(
            clusterID: configuration.clusterID, nodeName: configuration.nodeName,
            isIsolated: isIsolated)
        state = Locked(State(network: network))
        pool.start()
        await adopt()
    }

    package func setEventHandler(_ handler: @escaping @Sendable (RuntimeEvent) -> Void) {
        state.withLock { $0.handler = handler }
    }

    /// Ends the runtime's own threads; containers run on.
    package func shutdown() async {
        for connection in state.withLock({ $0.sandboxes.values.compactMap(\.connection) }) {
            connection.close()
        }
        try? await pool.shutdownGracefully()
    }

    /// Runs blocking work on the pool.
    func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () -> Result<Value, RuntimeError>
    ) async throws(RuntimeError) -> Value {
        let result: Result<Value, RuntimeError>
        do {
            result = try await pool.runIfActive { body() }
        } catch {
            throw RuntimeError("RuntimeStopped", "the runtime is being shut down")
        }
        return try result.get()
    }

    func directory(_ sandbox: String) -> PodDirectory {
        PodDirectory(path: configuration.directory + "/pods/" + sandbox)
    }

    package func logPath(sandbox: String, container: String, attempt: Int) -> String {
        directory(sandbox).logPath(container: container, attempt: attempt)
    }

    package func volumeDirectory(sandbox: String) -> String { directory(sandbox).volumes }

    func connection(_ sandbox: String) -> ShimConnection? {
        state.withLock { $0.sandboxes[sandbox]?.connection }
    }

    // MARK: Events of shims

    func connect(_ id: String, _ directory: PodDirectory) async -> ShimConnection? {
        await ShimConnection.connect(
            directory: directory.path, group: group,
            onExit: { [weak self] container, code, time in
                self?.containerExited(id, container, code, time)
            },
            onClose: { [weak self] in self?.shimClosed(id) })
    }

    private func containerExited(_ id: String, _ name: String, _ code: Int32, _ time: String) {
        let directory = directory(id)
        // One small file; the event loop is the runtime's own.
        var container = directory.container(name, isAlive: true)
        container?.state = .exited(code: code, finishedAt: time)
        finish(container, sandbox: id, event: container.map(RuntimeEvent.containerExited))
    }

    private func shimClosed(_ id: String) {
        let (wasStopping, lost, pid) = state.withLock {
            state -> (Bool, [RuntimeContainer], Int32) in
            guard var sandbox = state.sandboxes[id] else { return (true, [], 0) }
            sandbox.connection = nil
            sandbox.sandbox.isReady = false
            let running = sandbox.containers.filter { $0.state == .running }
            state.sandboxes[id] = sandbox
            return (sandbox.isStopping, running, sandbox.shimPID)
        }
        for container in lost {
            var container = container
            container.state = .lost
            finish(container, sandbox: id, event: nil)
        }
        pool.submit { _ in if pid > 0 { martlet_reap(pid) } }
        if !wasStopping { state.withLock { $0.handler }(.sandboxLost(sandbox: id)) }
    }

    private func finish(_ container: RuntimeContainer?, sandbox: String, event: RuntimeEvent?) {
        guard let container else { return }
        let (waiters, handler) = state.withLock { state in
            if let index = state.sandboxes[sandbox]?.containers
                .firstIndex(where: { $0.id == container.id })
            {
                state.sandboxes[sandbox]?.containers[index] = container
            }
            return (state.exitWaiters.removeValue(forKey: container.id) ?? [:], state.handler)
        }
        for waiter in waiters.values { waiter.resume() }
        if let event { handler(event) }
    }
}
