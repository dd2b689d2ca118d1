import Basics
import CMartlet
import Glibc

extension ProcessRuntime {
    private static let defaultPath =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    package func createContainer(
        sandbox id: String, _ container: ContainerConfiguration
    ) async throws(RuntimeError) -> String {
        guard let sandbox = state.withLock({ $0.sandboxes[id] }) else {
            throw RuntimeError("CreateContainerError", "the pod has no sandbox")
        }
        guard !(container.command + container.arguments).isEmpty else {
            throw RuntimeError(
                "CreateContainerError",
                "no command specified: the process runtime pulls no image, so the container needs "
                    + "a command of its own")
        }
        let directory = PodDirectory.containerDirectory(
            name: container.name, attempt: container.attempt)
        let created = RuntimeContainer(
            id: "\(id)_\(directory)", sandbox: id, name: container.name,
            attempt: container.attempt, image: container.image, state: .created, startedAt: "")
        let records = try records(container, sandbox)
        try await blocking {
            let path = sandbox.directory.containerPath(directory)
            do {
                Files.remove(path)
                try Files.makeDirectories(path)
                try Files.makeDirectories(sandbox.directory.path + "/logs/" + container.name)
                try Files.write([], to: path + "/termination-log", mode: 0o666)
                try sandbox.directory.save(created)
                try Files.write(records.bytes, to: path + "/config")
                return Result<Void, RuntimeError>.success(())
            } catch {
                return .failure(RuntimeError("CreateContainerError", "\(error)"))
            }
        }
        state.withLock { state in
            state.sandboxes[id]?.containers.removeAll { $0.id == created.id }
            state.sandboxes[id]?.containers.append(created)
        }
        return created.id
    }

    private func records(
        _ container: ContainerConfiguration, _ sandbox: Sandbox
    ) throws(RuntimeError) -> ShimRecords {
        var records = ShimRecords()
        for argument in container.command + container.arguments { records.add("arg", argument) }
        let names = Set(container.environment.map(\.name))
        let standard = [
            ("PATH", Self.defaultPath), ("HOSTNAME", container.hostname),
            ("HOME", (container.user ?? UInt32(getuid())) == 0 ? "/root" : "/"),
            ("POD_IP", sandbox.sandbox.ip),
        ]
        for (name, value) in standard where !names.contains(name) {
            records.add("env", "\(name)=\(value)")
        }
        for (name, value) in container.environment { records.add("env", "\(name)=\(value)") }
        if !container.workingDirectory.isEmpty { records.add("cwd", container.workingDirectory) }
        records.add("log", "logs/\(container.name)/\(container.attempt).log")
        try addIdentity(container, to: &records)
        if isIsolated {
            records.add("isolated", "1")
            records.add("hostname", String(container.hostname.prefix(63)))
            for path in configuration.hiddenPaths { records.add("hide", path) }
            if container.isRootReadOnly { records.add("read-only-root", "1") }
            let directory = PodDirectory.containerDirectory(
                name: container.name, attempt: container.attempt)
            let own = [
                Mount(
                    hostPath: sandbox.directory.hosts, containerPath: "/etc/hosts",
                    isReadOnly: false),
                Mount(
                    hostPath: sandbox.directory.containerPath(directory) + "/termination-log",
                    containerPath: "/dev/termination-log", isReadOnly: false),
            ]
            for mount in own + container.mounts {
                records.add("bind", mount.isReadOnly ? "ro" : "rw")
                records.add("source", mount.hostPath)
                records.add("target", mount.containerPath)
            }
        }
        guard !records.isMalformed else {
            throw RuntimeError("CreateContainerError", "an argument or variable holds a NUL byte")
        }
        return records
    }

    private func addIdentity(
        _ container: ContainerConfiguration, to records: inout ShimRecords
    ) throws(RuntimeError) {
        let ownUser = UInt32(getuid())
        let user = container.user ?? ownUser
        let group = container.group ?? (container.user == nil ? UInt32(getgid()) : 0)
        guard ownUser == 0 || (user == ownUser && container.group ?? getgid() == getgid()) else {
            throw RuntimeError(
                "CreateContainerError",
                "running as user \(user) needs a node agent that runs as root")
        }
        records.add("uid", String(user))
        records.add("gid", String(ownUser == 0 ? group : getgid()))
        guard ownUser == 0 else { return }
        for group in container.supplementalGroups { records.add("group", String(group)) }
        let mask = try Capabilities.mask(
            added: container.addedCapabilities, dropped: container.droppedCapabilities)
        records.add("capabilities", String(mask, radix: 16))
    }

    package func startContainer(_ id: String) async throws(RuntimeError) -> RuntimeContainer {
        guard var container = await containerStatus(id),
            let connection = connection(container.sandbox)
        else { throw RuntimeError("RunContainerError", "the pod's sandbox is gone") }
        let name = PodDirectory.containerDirectory(
            name: container.name, attempt: container.attempt)
        guard let answer = await connection.ask("start \(name)", about: "start \(name)") else {
            throw RuntimeError("RunContainerError", "the pod's sandbox died")
        }
        guard answer.words[0] == "started", answer.words.count >= 4 else {
            throw RuntimeError("StartError", Self.failureText(answer))
        }
        container.state = .running
        container.startedAt = answer.words[3]
        let started = container
        return state.withLock { state in
            // The exit may have been told already.
            guard
                let index = state.sandboxes[started.sandbox]?.containers
                    .firstIndex(where: { $0.id == id })
            else { return started }
            if state.sandboxes[started.sandbox]?.containers[index].state == .created {
                state.sandboxes[started.sandbox]?.containers[index] = started
            }
            return started
        }
    }

    /// `failed NAME ERRNO STAGE…`
    private static func failureText(_ answer: ShimAnswer) -> String {
        let code = answer.words.count > 2 ? Int32(answer.words[2]) ?? 0 : 0
        let stage = answer.words.dropFirst(3).joined(separator: " ")
        if code == ENOENT, stage.hasPrefix("exec:") {
            return "\(stage): executable file not found in $PATH"
        }
        return "\(stage): \(errnoText(code))"
    }

    package func stopContainer(_ id: String, graceMilliseconds: UInt64) async {
        guard let container = await containerStatus(id), container.state == .running,
            let connection = connection(container.sandbox)
        else { return }
        let name = PodDirectory.containerDirectory(
            name: container.name, attempt: container.attempt)
        if graceMilliseconds > 0 {
            connection.send("signal \(name) \(SIGTERM)")
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.waitForExit(id) }
                group.addTask { try? await Task.sleep(for: .milliseconds(graceMilliseconds)) }
                await group.next()
                group.cancelAll()
            }
        }
        guard await containerStatus(id)?.state == .running else { return }
        connection.send("signal \(name) \(SIGKILL)")
        await waitForExit(id)
    }

    /// Waits until the container has ended, or the task is cancelled.
    func waitForExit(_ id: String) async {
        let token = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    let isRunning = state.sandboxes.values.contains { sandbox in
                        sandbox.connection != nil
                            && sandbox.containers.contains { $0.id == id && $0.state == .running }
                    }
                    guard isRunning, !Task.isCancelled else { return false }
                    state.exitWaiters[id, default: [:]][token] = continuation
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.exitWaiters[id]?.removeValue(forKey: token) }
            waiter?.resume()
        }
    }

    package func removeContainer(_ id: String) async {
        guard let container = await containerStatus(id), container.state != .running else {
            return
        }
        let name = PodDirectory.containerDirectory(
            name: container.name, attempt: container.attempt)
        let directory = directory(container.sandbox)
        connection(container.sandbox)?.send("forget \(name)")
        state.withLock { state in
            state.sandboxes[container.sandbox]?.containers.removeAll { $0.id == id }
        }
        _ = try? await blocking { () -> Result<Void, RuntimeError> in
            Files.remove(directory.containerPath(name))
            let log = directory.logPath(container: container.name, attempt: container.attempt)
            Files.remove(log)
            for index in 1..<5 { Files.remove("\(log).\(index)") }
            return .success(())
        }
    }

    package func listContainers(sandbox id: String) async -> [RuntimeContainer] {
        state.withLock { $0.sandboxes[id]?.containers ?? [] }
            .sorted { ($0.name, $0.attempt) < ($1.name, $1.attempt) }
    }

    package func containerStatus(_ id: String) async -> RuntimeContainer? {
        state.withLock { state in
            for sandbox in state.sandboxes.values {
                if let found = sandbox.containers.first(where: { $0.id == id }) { return found }
            }
            return nil
        }
    }

    package func execSync(
        _ id: String, command: [String], timeoutMilliseconds: UInt64
    ) async throws(RuntimeError) -> ExecResult {
        guard let container = await containerStatus(id),
            let connection = connection(container.sandbox)
        else { throw RuntimeError("ExecError", "the container is not running") }
        let name = state.withLock { state in
            state.nextExec += 1
            return "\(state.nextExec)"
        }
        var records = ShimRecords()
        for argument in command { records.add("arg", argument) }
        let request = records.bytes
        let target = PodDirectory.containerDirectory(
            name: container.name, attempt: container.attempt)
        let directory = directory(container.sandbox)
        try await blocking {
            do {
                try Files.write(request, to: directory.path + "/exec-\(name)")
                return Result<Void, RuntimeError>.success(())
            } catch {
                return .failure(RuntimeError("ExecError", "\(error)"))
            }
        }
        let line = "exec \(name) \(target) \(timeoutMilliseconds)"
        guard let answer = await connection.ask(line, about: "exec \(name)") else {
            throw RuntimeError("ExecError", "the pod's sandbox died")
        }
        guard answer.words[0] == "executed", answer.words.count >= 5 else {
            throw RuntimeError("ExecError", Self.failureText(answer))
        }
        return ExecResult(
            code: Int32(answer.words[2]) ?? 255,
            output: String(decoding: answer.output, as: UTF8.self),
            hasTimedOut: answer.words[4] == "timeout")
    }
}
