import Documents
import Basics
import Glibc
import Keyspace
import NIOPosix
import NodeAgent
import Objects
import Store
import Testing

/// The agent with the real shim: containers, logs, adoption. Needs root and the built shim; says
/// so where it has neither.
@Suite(.serialized) struct RuntimeTests {
    private struct Node {
        var agent: NodeAgent
        var runtime: ProcessRuntime
        var task: Task<Void, Never>

        func stop() async {
            task.cancel()
            await task.value
            await runtime.shutdown()
        }
    }

    private let store = FakeStore()
    private let directory = "/tmp/martlet-agent-test-\(getpid())"

    /// Nil, with the reason printed, where the test cannot run.
    private func shim() -> String? {
        guard getuid() == 0 else {
            print("skipped: the process runtime's namespaces need root")
            return nil
        }
        let program = CommandLine.arguments[0]
        let folder = program.prefix(upTo: program.lastIndex(of: "/") ?? program.startIndex)
        let places = ["\(folder)/martlet-shim", ".build/release/martlet-shim"]
        let found = places.first { unsafe access($0, X_OK) == 0 }
        if found == nil { print("skipped: no martlet-shim at \(places)") }
        return found
    }

    private func start(_ shim: String, isIsolated: Bool) async throws -> Node {
        let runtime = try await ProcessRuntime(
            ProcessRuntime.Configuration(
                directory: directory, nodeName: "node-1", clusterID: "test \(getpid())",
                shimPath: shim, hiddenPaths: [directory], isIsolated: isIsolated),
            group: MultiThreadedEventLoopGroup.singleton)
        let agent = NodeAgent(
            NodeAgent.Configuration(
                nodeName: "node-1", directory: directory, hiddenPaths: [directory]),
            store: store, runtime: runtime)
        return Node(agent: agent, runtime: runtime, task: Task { await agent.run() })
    }

    private func put(_ object: Object) async throws {
        let put = CommitRequest.Mutation.put(
            key: object.key, value: object.encodeStored(), lease: 0)
        _ = try await store.commit(CommitRequest(mutations: [put]))
    }

    private func pod(_ name: String) async throws -> Object? {
        let key = ResourceKind.pod.key(namespace: "default", name: name)
        return try await store.range(RangeRequest(.key(key))).keyValues.first
            .map { try Object.decode($0) }
    }

    /// Waits for the store to show it; a pod that never gets there ends with the suite's limit.
    private func wait(
        _ name: String, until isSo: (Object?) -> Bool
    ) async throws -> Object? {
        while true {
            let found = try await pod(name)
            if isSo(found) { return found }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func delete(_ name: String) async throws {
        guard var object = try await pod(name) else { return }
        object.json.set("2026-01-02T03:04:05Z", at: "metadata", "deletionTimestamp")
        object.json.set(1, at: "metadata", "deletionGracePeriodSeconds")
        try await put(object)
        _ = try await wait(name) { $0 == nil }
    }

    private func shell(_ script: String) -> JSON {
        [["name": "c", "image": "none", "command": ["sh", "-c", .string(script)]]]
    }

    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func runsToItsEnd(isIsolated: Bool) async throws {
        guard let shim = shim() else { return }
        let node = try await start(shim, isIsolated: isIsolated)
        let script = "echo out $POD_IP; echo err >&2; ls \(directory) | wc -l; exit 3"
        try await put(
            PodBuilder.pod(
                "once", uid: "once-\(isIsolated)", containers: shell(script),
                more: ["restartPolicy": "Never"]))
        let over = try await wait("once") { $0?.status["phase"] == "Failed" }
        let status = over?.status
        let ended = status?["containerStatuses"]?[0]?["state"]?["terminated"]
        #expect(ended?["exitCode"] == 3)
        let ip = status?["podIP"]?.stringValue ?? "none"
        #expect(ip.hasPrefix(isIsolated ? "10." : "127."))
        let path = node.runtime.logPath(
            sandbox: "once-\(isIsolated)", container: "c", attempt: 0)
        let log = text(path)
        #expect(log.contains(" stdout F out \(ip)\n"))
        #expect(log.contains(" stderr F err\n"))
        // The data directory is hidden from isolated containers.
        #expect(log.contains(" stdout F 0\n") == isIsolated)
        try await delete("once")
        await node.agent.stopPods()
        await node.stop()
        remove(directory)
    }

    @Test(.timeLimit(.minutes(1))) func successorAdoptsRunningPods() async throws {
        guard let shim = shim() else { return }
        var node = try await start(shim, isIsolated: true)
        try await put(PodBuilder.pod("stays", uid: "stays", containers: shell("sleep 1000")))
        let first = try await wait("stays") { $0?.status["phase"] == "Running" }
        await node.stop()
        node = try await start(shim, isIsolated: true)
        let adopted = await node.runtime.listContainers(sandbox: "stays")
        #expect(adopted.map(\.state) == [.running])
        let status = first?.status["containerStatuses"]?[0]
        #expect(status?["containerID"]?.stringValue == "martlet://" + (adopted.first?.id ?? ""))
        // A stop of the cluster ends the pod; the next agent starts it again.
        await node.agent.stopPods()
        await node.stop()
        node = try await start(shim, isIsolated: true)
        let again = try await wait("stays") {
            $0?.status["containerStatuses"]?[0]?["restartCount"] == 1
                && $0?.status["phase"] == "Running"
        }
        #expect(again?.status["podIP"] == first?.status["podIP"])
        try await delete("stays")
        // The directory goes after the object; a leftover ends with the time limit.
        while await !node.runtime.listPodSandboxes().isEmpty {
            try await Task.sleep(for: .milliseconds(20))
        }
        await node.agent.stopPods()
        await node.stop()
        remove(directory)
    }

    private func text(_ path: String) -> String {
        guard let file = unsafe fopen(path, "r") else { return "" }
        defer { unsafe fclose(file) }
        var bytes = Bytes(repeating: 0, count: 65_536)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private func remove(_ path: String) {
        unsafe system("rm -rf \(path)")
    }
}
