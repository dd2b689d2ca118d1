import ArgumentParser
import Basics
import Glibc

/// `martlet up`: a whole cluster on this machine, supervised.
struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Run a cluster on this machine until Ctrl-C.")

    @Option(help: "Folder that holds the cluster.")
    var dataDir = ".martlet"

    @Option(help: "Store replicas, or with --store-endpoints servers: 1, 3 or 5.")
    var replicas = 3

    @Option(help: "Node agents.")
    var nodes = 1

    @Option(help: "Container runtime of the agents; only `process` is there yet.")
    var runtime = "process"

    @Option(help: "IPv4 addresses of this machine, comma-separated, one a replica, to listen on.")
    var hosts: String?

    @Option(help: "Store client port of replica 1; replica i has port + 10*(i-1).")
    var storePort = 2379

    @Option(help: "API port of replica 1; replica i has port + (i-1).")
    var apiPort = 6443

    @Flag(help: "Only the store: no API server, controllers, scheduler and agents.")
    var storeOnly = false

    @Flag(help: "No TLS on the store ports; needs --store-only.")
    var plaintext = false

    @Flag(help: "Leaders answer reads without asking the others for a while; rests on clocks.")
    var readLeases = false

    @OptionGroup var checks: CheckOptions

    @OptionGroup var snapshots: SnapshotOptions

    @OptionGroup var external: ExternalStoreOptions

    func validate() throws {
        guard [1, 3, 5].contains(replicas) else {
            throw ValidationError("--replicas is 1, 3 or 5, not \(replicas)")
        }
        guard (0...64).contains(nodes) else {
            throw ValidationError("--nodes is 0 to 64, not \(nodes)")
        }
        guard runtime == "process" else {
            throw ValidationError("--runtime \(runtime) is not there; only process is")
        }
        guard !plaintext || storeOnly else {
            throw ValidationError("--plaintext needs --store-only")
        }
        guard external.store == nil || !storeOnly else {
            throw ValidationError("--store-endpoints and --store-only leave nothing to run")
        }
        try validateHosts()
        for (flag, port, last) in [
            ("--store-port", storePort, storePort + 10 * (replicas - 1) + 1),
            ("--api-port", apiPort, apiPort + replicas - 1),
        ] where port < 1 || last > 65_535 {
            throw ValidationError("\(flag) \(port) leaves no room for \(replicas) replicas")
        }
    }

    private func validateHosts() throws {
        guard hosts != nil else { return }
        guard hostList.count == replicas else {
            throw ValidationError(
                "--hosts names \(hostList.count) addresses for \(replicas) replicas")
        }
        for host in hostList {
            guard isIPv4Address(host) else {
                throw ValidationError("--hosts: \(host) is not an IPv4 address")
            }
            guard !plaintext || host.hasPrefix("127.") else {
                throw ValidationError("--plaintext is for loopback, not for \(host)")
            }
        }
    }

    private var hostList: [String] {
        hosts?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
    }

    func run() throws {
        do {
            try runCluster()
        } catch let error as CommandError {
            reportError(error)
            throw ExitCode(error.exitCode)
        }
    }

    private func runCluster() throws {
        let directory = DataDirectory(dataDir)
        let shape = ClusterShape(
            replicaCount: replicas, hosts: hostList, nodeCount: storeOnly ? 0 : nodes,
            storePort: storePort, apiPort: apiPort, isStoreOnly: storeOnly, isPlaintext: plaintext,
            externalStore: external.store)
        // What is wrong with these is told before anything is laid out.
        if let store = external.store { _ = (try store.addresses(), try store.tls()) }
        let layout = try directory.layout(for: shape)
        let lock = try DirectoryLock(path: directory.lockPath)
        defer { lock.release() }
        try checkPortsAreFree(layout)
        try ClusterPKI(directory, now: .now()).issueAll(for: layout, now: .now())
        var supervisor = try Supervisor(
            program: try executablePath(), dataDirectory: directory.path,
            children: try children(layout, directory),
            whenReady: { () throws(CommandError) in
                var bootstrapped = layout
                bootstrapped.isBootstrapped = true
                if !layout.isBootstrapped { try directory.write(bootstrapped) }
                say(readyLine(layout, directory))
            })
        try supervisor.run()
    }

    private func children(
        _ layout: ClusterLayout, _ directory: DataDirectory
    ) throws(CommandError) -> [ChildProcess] {
        var children: [ChildProcess] = []
        for replica in layout.replicas {
            let path = directory.replicaPath(replica.number)
            try Files.makeDirectory(path, mode: 0o700)
            children.append(
                ChildProcess(
                    name: replica.name, role: .server(replica: replica.number),
                    arguments: [
                        "server", "--data-dir", directory.path, "--replica",
                        String(replica.number),
                    ] + (readLeases ? ["--read-leases"] : []) + checks.arguments
                        + snapshots.arguments + external.arguments,
                    logPath: path + "/server.log", pidPath: directory.pidPath(replica.name)))
        }
        for node in layout.nodes {
            let path = directory.nodePath(node)
            try Files.makeDirectory(path, mode: 0o700)
            children.append(
                ChildProcess(
                    name: node, role: .agent,
                    arguments: ["agent", "--data-dir", directory.path, "--node", node],
                    logPath: path + "/agent.log", pidPath: directory.pidPath(node)))
        }
        return children
    }

    /// A port that is taken is named now, rather than found in a child's log later; that of a
    /// server that was killed is waited for.
    private func checkPortsAreFree(_ layout: ClusterLayout) throws(CommandError) {
        let end = MonotonicTime.now().advanced(milliseconds: Limits.killedProcessMilliseconds)
        for replica in layout.replicas {
            var ports: [Int] = []
            if layout.externalStore == nil { ports += [replica.storePort, replica.peerPort] }
            if !layout.isStoreOnly { ports.append(replica.apiPort) }
            for port in ports {
                while let reason = whyPortIsTaken(port, of: replica.host) {
                    if MonotonicTime.now() < end {
                        usleep(20_000)
                        continue
                    }
                    throw CommandError(
                        "port \(port) of \(replica.name) is not free (\(reason));"
                            + " choose others with --store-port and --api-port")
                }
            }
        }
    }

    private func readyLine(_ layout: ClusterLayout, _ directory: DataDirectory) -> String {
        if layout.isStoreOnly {
            return "ready: store at \(layout.storeEndpoints.joined(separator: ","));"
                + " next: martlet store status --data-dir \(directory.path)"
        }
        let servers =
            layout.externalStore.map { "\(layout.replicas.count) servers on etcd at \($0.text)" }
            ?? "\(layout.replicas.count) replicas"
        return "ready: \(servers), \(layout.nodes.count) nodes;"
            + " next: KUBECONFIG=\(directory.kubeconfigPath) kubectl get nodes"
    }
}

/// Writes `error: …` to standard error.
func reportError(_ error: CommandError) {
    let line = Bytes("error: \(error.message)\n".utf8)
    _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
