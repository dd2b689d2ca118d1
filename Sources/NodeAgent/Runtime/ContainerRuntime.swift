/// What runs containers, shaped after CRI v1 so that containerd can stand here too.
///
/// Ids are the runtime's own. Calls may take long; they suspend and do not block the caller's
/// thread. Everything survives the agent: a runtime made anew lists what the old one ran.
package protocol ContainerRuntime: Sendable {
    /// As shown in `nodeInfo.containerRuntimeVersion`, for example `martlet://0.1`.
    var version: String { get }

    /// Makes the pod's surroundings, its network among them; running it again answers the same.
    func runPodSandbox(
        _ configuration: SandboxConfiguration
    ) async throws(RuntimeError) -> PodSandbox
    /// Kills what still runs in the sandbox and takes its network away; its logs stay.
    func stopPodSandbox(_ id: String) async
    /// Removes what is left, logs included. The sandbox must be stopped.
    func removePodSandbox(_ id: String) async
    func listPodSandboxes() async -> [PodSandbox]

    /// Answers the container's id.
    func createContainer(
        sandbox: String, _ configuration: ContainerConfiguration
    ) async throws(RuntimeError) -> String
    func startContainer(_ id: String) async throws(RuntimeError) -> RuntimeContainer
    /// SIGTERM, and SIGKILL after the grace; answers when the container has ended.
    func stopContainer(_ id: String, graceMilliseconds: UInt64) async
    func removeContainer(_ id: String) async
    /// Those of one sandbox, by name and then attempt.
    func listContainers(sandbox: String) async -> [RuntimeContainer]
    func containerStatus(_ id: String) async -> RuntimeContainer?
    func execSync(
        _ id: String, command: [String], timeoutMilliseconds: UInt64
    ) async throws(RuntimeError) -> ExecResult
    /// Where the container's log stands, in the CRI format.
    func logPath(sandbox: String, container: String, attempt: Int) -> String
    /// The directory in which the agent may keep the sandbox's volumes.
    func volumeDirectory(sandbox: String) -> String

    /// Tells of every container that ends and every sandbox that is lost, from now on.
    func setEventHandler(_ handler: @escaping @Sendable (RuntimeEvent) -> Void)
}

package struct RuntimeError: Error, Sendable, CustomStringConvertible {
    /// A waiting reason of Kubernetes, for example `CreateContainerError`.
    package var reason: String
    package var message: String

    package init(_ reason: String, _ message: String) {
        self.reason = reason
        self.message = message
    }

    package var description: String { "\(reason): \(message)" }
}

package enum RuntimeEvent: Sendable {
    case containerExited(RuntimeContainer)
    case sandboxLost(sandbox: String)
}

package struct SandboxConfiguration: Sendable, Hashable {
    /// The pod's uid; the sandbox gets the same id.
    package var uid: String
    package var namespace: String
    package var name: String
    package var usesHostNetwork: Bool

    package init(uid: String, namespace: String, name: String, usesHostNetwork: Bool) {
        self.uid = uid
        self.namespace = namespace
        self.name = name
        self.usesHostNetwork = usesHostNetwork
    }
}

package struct PodSandbox: Sendable, Hashable {
    package var id: String
    package var namespace: String
    package var name: String
    package var ip: String
    package var isReady: Bool

    package init(id: String, namespace: String, name: String, ip: String, isReady: Bool) {
        self.id = id
        self.namespace = namespace
        self.name = name
        self.ip = ip
        self.isReady = isReady
    }
}

package struct Mount: Sendable, Hashable {
    package var hostPath: String
    package var containerPath: String
    package var isReadOnly: Bool

    package init(hostPath: String, containerPath: String, isReadOnly: Bool) {
        self.hostPath = hostPath
        self.containerPath = containerPath
        self.isReadOnly = isReadOnly
    }
}

package struct ContainerConfiguration: Sendable, Hashable {
    package var name: String
    package var attempt: Int
    package var image: String
    package var command: [String]
    package var arguments: [String]
    package var environment: [(name: String, value: String)] {
        get { zip(environmentNames, environmentValues).map { ($0, $1) } }
        set {
            environmentNames = newValue.map(\.name)
            environmentValues = newValue.map(\.value)
        }
    }
    private var environmentNames: [String] = []
    private var environmentValues: [String] = []
    package var workingDirectory = ""
    package var mounts: [Mount] = []
    package var user: UInt32?
    package var group: UInt32?
    package var supplementalGroups: [UInt32] = []
    package var addedCapabilities: [String] = []
    package var droppedCapabilities: [String] = []
    package var isRootReadOnly = false
    package var hostname = ""

    package init(
        name: String, attempt: Int, image: String, command: [String], arguments: [String]
    ) {
        self.name = name
        self.attempt = attempt
        self.image = image
        self.command = command
        self.arguments = arguments
    }
}

package struct RuntimeContainer: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        case created
        case running
        case exited(code: Int32, finishedAt: String)
        /// The sandbox died with it before its end was recorded.
        case lost
    }

    package var id: String
    package var sandbox: String
    package var name: String
    package var attempt: Int
    package var image: String
    package var state: State
    /// RFC 3339, empty before the start.
    package var startedAt: String
    /// What the container left in its termination message file.
    package var terminationMessage = ""

    package init(
        id: String, sandbox: String, name: String, attempt: Int, image: String, state: State,
        startedAt: String
    ) {
        self.id = id
        self.sandbox = sandbox
        self.name = name
        self.attempt = attempt
        self.image = image
        self.state = state
        self.startedAt = startedAt
    }
}

package struct ExecResult: Sendable, Hashable {
    package var code: Int32
    package var output: String
    package var hasTimedOut: Bool

    package init(code: Int32, output: String, hasTimedOut: Bool) {
        self.code = code
        self.output = output
        self.hasTimedOut = hasTimedOut
    }
}
