import Basics
import CMartlet

extension ProcessRuntime {
    /// Finds what an earlier agent left and connects to the shims that still live.
    func adopt() async {
        let pods = configuration.directory + "/pods"
        for id in Files.list(pods) {
            let directory = directory(id)
            guard let (saved, usesHostNetwork) = directory.load() else {
                Files.remove(directory.path)
                continue
            }
            let address = PodNetwork.parse(saved.ip)
            if let address, !usesHostNetwork {
                state.withLock { $0.network.claim(address) }
            }
            state.withLock {
                $0.sandboxes[id] = Sandbox(
                    sandbox: saved, directory: directory, usesHostNetwork: usesHostNetwork,
                    shimPID: directory.shimPID ?? 0)
            }
            let connection = await connect(id, directory)
            let containers = directory.containers(isAlive: connection != nil)
            state.withLock {
                $0.sandboxes[id]?.connection = connection
                $0.sandboxes[id]?.sandbox.isReady = connection != nil
                $0.sandboxes[id]?.containers = containers
            }
        }
        state.withLock { state in
            let live = state.sandboxes.values.filter { $0.sandbox.isReady }
                .compactMap { PodNetwork.parse($0.sandbox.ip) }
            state.network.removeLeftovers(keeping: live)
        }
    }

    package func runPodSandbox(
        _ configuration: SandboxConfiguration
    ) async throws(RuntimeError) -> PodSandbox {
        let id = configuration.uid
        if let present = state.withLock({ $0.sandboxes[id]?.sandbox }), present.isReady {
            return present
        }
        let address = try address(for: configuration)
        let sandbox = PodSandbox(
            id: id, namespace: configuration.namespace, name: configuration.name,
            ip: PodNetwork.text(address), isReady: true)
        let directory = directory(id)
        do throws(RuntimeError) {
            let pid = try await blocking { self.startShim(configuration, sandbox, directory) }
            state.withLock {
                var entry = Sandbox(
                    sandbox: sandbox, directory: directory,
                    usesHostNetwork: configuration.usesHostNetwork)
                entry.containers = $0.sandboxes[id]?.containers ?? []
                entry.shimPID = pid
                $0.sandboxes[id] = entry
            }
            guard let connection = await connect(id, directory) else {
                throw RuntimeError("CreatePodSandboxError", "the pod's shim does not answer")
            }
            state.withLock { $0.sandboxes[id]?.connection = connection }
        } catch {
            if !configuration.usesHostNetwork { state.withLock { $0.network.release(address) } }
            state.withLock { $0.sandboxes[id]?.sandbox.isReady = false }
            throw error
        }
        return sandbox
    }

    private func address(for configuration: SandboxConfiguration) throws(RuntimeError) -> UInt32 {
        // Without isolation a pod of the host's network still gets an address to bind to.
        if configuration.usesHostNetwork, isIsolated { return martlet_net_host_address() }
        let (before, fresh) = state.withLock { state in
            let before = state.sandboxes[configuration.uid]
                .flatMap { PodNetwork.parse($0.sandbox.ip) }
            return (before, before == nil ? state.network.allocate() : nil)
        }
        guard let address = before ?? fresh else {
            throw RuntimeError("CreatePodSandboxError", "no pod address is free on this node")
        }
        state.withLock { $0.network.claim(address) }
        return address
    }

    private func startShim(
        _ pod: SandboxConfiguration, _ sandbox: PodSandbox, _ directory: PodDirectory
    ) -> Result<Int32, RuntimeError> {
        let hasNetwork = isIsolated && !pod.usesHostNetwork
        do {
            try directory.make()
            try directory.save(sandbox, usesHostNetwork: pod.usesHostNetwork)
            let hosts = """
                # Written by the node agent for this pod.
                127.0.0.1\tlocalhost
                ::1\tlocalhost ip6-localhost ip6-loopback
                \(sandbox.ip)\t\(pod.name)

                """
            try Files.write(Bytes(hosts.utf8), to: directory.hosts, mode: 0o644)
        } catch {
            return .failure(RuntimeError("CreatePodSandboxError", error.description))
        }
        let path = configuration.shimPath
        let code = run(path, hasNetwork ? ["--network", directory.path] : [directory.path])
        guard code == 0, let pid = directory.shimPID else {
            let log = Files.readText(directory.path + "/shim.log") ?? ""
            return .failure(
                RuntimeError(
                    "CreatePodSandboxError", "\(path) ended with \(code) \(log.suffix(300))"))
        }
        guard hasNetwork, let address = PodNetwork.parse(sandbox.ip) else { return .success(pid) }
        let network = state.withLock { $0.network }
        let error = unsafe martlet_net_attach(
            pid, network.bridge, network.linkName(address), address, PodNetwork.prefixLength,
            network.gateway)
        guard error == 0 else {
            Files.remove(directory.path + "/shim.sock")
            return .failure(
                RuntimeError(
                    "CreatePodSandboxError", "the pod's network: \(errnoText(error))"))
        }
        return .success(pid)
    }

    private func run(_ path: String, _ arguments: [String]) -> Int32 {
        unsafe withCStrings([path] + arguments) { unsafe martlet_run(path, $0) }
    }

    package func stopPodSandbox(_ id: String) async {
        let (connection, sandbox) = state.withLock { state in
            state.sandboxes[id]?.isStopping = true
            return (state.sandboxes[id]?.connection, state.sandboxes[id])
        }
        guard let sandbox else { return }
        if let connection {
            connection.send("quit")
            await connection.waitForClose()
        }
        guard !sandbox.usesHostNetwork, let address = PodNetwork.parse(sandbox.sandbox.ip) else {
            return
        }
        let link = state.withLock { state in
            state.network.release(address)
            return state.network.isIsolated ? state.network.linkName(address) : nil
        }
        guard let link, sandbox.sandbox.isReady else { return }
        _ = try? await blocking { () -> Result<Void, RuntimeError> in
            unsafe martlet_net_delete(link)
            return .success(())
        }
    }

    package func removePodSandbox(_ id: String) async {
        let directory = directory(id)
        _ = try? await blocking { () -> Result<Void, RuntimeError> in
            for volume in Files.list(directory.volumes) {
                // A volume in memory is a mount; others answer with an error.
                unsafe martlet_unmount(directory.volumes + "/" + volume)
            }
            Files.remove(directory.path)
            return .success(())
        }
        state.withLock { _ = $0.sandboxes.removeValue(forKey: id) }
    }

    package func listPodSandboxes() async -> [PodSandbox] {
        state.withLock { $0.sandboxes.values.map(\.sandbox) }.sorted { $0.id < $1.id }
    }

    /// Ends all pods as for a reboot: what runs now counts as lost, not as ended by itself.
    package func stopEverything(graceMilliseconds: UInt64) async {
        let sandboxes = state.withLock { $0.sandboxes }
        await withTaskGroup(of: Void.self) { group in
            for (id, sandbox) in sandboxes where sandbox.connection != nil {
                group.addTask {
                    for container in sandbox.containers where container.state == .running {
                        let name = PodDirectory.containerDirectory(
                            name: container.name, attempt: container.attempt)
                        let mark = sandbox.directory.containerPath(name) + "/stopped"
                        _ = try? await self.blocking { () -> Result<Void, RuntimeError> in
                            try? Files.write([], to: mark)
                            return .success(())
                        }
                    }
                    await withTaskGroup(of: Void.self) { inner in
                        for container in sandbox.containers where container.state == .running {
                            inner.addTask {
                                await self.stopContainer(
                                    container.id, graceMilliseconds: graceMilliseconds)
                            }
                        }
                    }
                    await self.stopPodSandbox(id)
                }
            }
        }
        await removeNetwork()
    }

    /// Takes the node's network away when no pod is left; for a stop of the whole cluster.
    package func removeNetwork() async {
        let network = state.withLock { $0.network }
        _ = try? await blocking { () -> Result<Void, RuntimeError> in
            network.removeLeftovers(keeping: [])
            network.removeBridge()
            return .success(())
        }
    }
}

/// Calls `body` with a NULL-terminated array of C strings.
func withCStrings<Value>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value
) -> Value {
    // One buffer holds all strings, so that one pointer keeps all of them alive.
    var bytes = [CChar]()
    var offsets: [Int] = []
    for string in strings {
        offsets.append(bytes.count)
        bytes.append(contentsOf: string.utf8.map { CChar(bitPattern: $0) })
        bytes.append(0)
    }
    return unsafe bytes.withUnsafeBufferPointer { buffer in
        var pointers: [UnsafePointer<CChar>?] = unsafe offsets.map { offset in
            unsafe buffer.baseAddress?.advanced(by: offset)
        }
        unsafe pointers.append(nil)
        return unsafe pointers.withUnsafeBufferPointer { list -> Value in
            guard let base = list.baseAddress else { preconditionFailure("empty array") }
            return unsafe body(base)
        }
    }
}
