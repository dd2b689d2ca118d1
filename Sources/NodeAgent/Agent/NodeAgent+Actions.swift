import Documents
import Basics
import Keyspace
import Objects

extension NodeAgent {
    /// Upstream lets a hook take as long as it likes; one that hangs would hold a task for ever.
    private static let postStartSecondsMax: Int64 = 3_600

    /// Begins an action; its answer comes back as a message.
    func perform(
        _ action: PodAction, _ object: Object, _ lifecycle: PodLifecycle,
        _ group: inout DiscardingTaskGroup
    ) {
        let uid = object.uid
        switch action {
        case .event(let event): events.record(event, pod: object)
        case .remove: break
        case .prepareVolumes:
            group.addTask { await self.prepareVolumes(object, podIP: lifecycle.podIP) }
        case .runSandbox:
            let usesHostNetwork = lifecycle.pod.usesHostNetwork
            group.addTask { await self.runSandbox(object, usesHostNetwork) }
        case .startContainer(let name, let attempt):
            group.addTask {
                await self.startContainer(object, name, attempt, podIP: lifecycle.podIP)
            }
        case .stopContainer(let id, let graceSeconds, let preStop):
            let container = lifecycle.records.first { $0.runningID == id }?.description
            let podIP = lifecycle.podIP
            group.addTask {
                await self.stopContainer(id, graceSeconds, preStop, container, podIP: podIP)
            }
        case .stopSandbox:
            group.addTask {
                await self.runtime.stopPodSandbox(uid)
                self.report(uid) { lifecycle, now, _ in lifecycle.sandboxStopped(now: now) }
            }
        case .probe(let name, let id, let kind, let probe):
            guard let index = lifecycle.index(name) else { return }
            let container = lifecycle.records[index].description
            let podIP = lifecycle.podIP
            group.addTask {
                let outcome = await self.probes.run(
                    probe.check, timeoutSeconds: probe.timeoutSeconds, container: container,
                    id: id, podIP: podIP)
                self.report(uid) { lifecycle, now, _ in
                    lifecycle.probeFinished(
                        name, id: id, kind: kind, succeeded: outcome.succeeded,
                        output: outcome.output, now: now)
                }
            }
        }
    }

    private func podFacts(_ object: Object, podIP: String) -> PodFacts {
        PodFacts(
            pod: object, podIP: podIP, hostIP: facts.hostIP, nodeName: configuration.nodeName,
            allocatable: facts.allocatable)
    }

    private func volumeDirectory(_ uid: String) -> VolumeDirectory {
        VolumeDirectory(
            root: runtime.volumeDirectory(sandbox: uid), canMount: runtime.isIsolated,
            hiddenPaths: runtime.configuration.hiddenPaths)
    }

    private func sources(_ object: Object) async throws(RuntimeError) -> ConfigSources {
        do {
            return try await access.sources(
                ConfigSources.references(of: object), namespace: object.namespace)
        } catch {
            throw RuntimeError("CreateContainerConfigError", error.message)
        }
    }

    private func prepareVolumes(_ object: Object, podIP: String) async {
        var failure: String?
        do throws(RuntimeError) {
            let facts = podFacts(object, podIP: podIP)
            let directory = volumeDirectory(object.uid)
            if object.spec["volumes"]?.elements.isEmpty == false {
                let sources = try await sources(object)
                try await runtime.blocking {
                    Result { () throws(RuntimeError) in
                        try directory.prepare(object, facts: facts, sources: sources)
                    }
                }
            }
        } catch {
            failure = error.message
        }
        report(object.uid) { [failure] lifecycle, now, _ in
            lifecycle.volumesPrepared(failure: failure, now: now)
        }
    }

    private func runSandbox(_ object: Object, _ usesHostNetwork: Bool) async {
        let sandbox = SandboxConfiguration(
            uid: object.uid, namespace: object.namespace, name: object.name,
            usesHostNetwork: usesHostNetwork)
        do {
            let started = try await runtime.runPodSandbox(sandbox)
            report(object.uid) { lifecycle, now, _ in
                lifecycle.sandboxStarted(ip: started.ip, now: now)
            }
        } catch {
            let message = error.message
            report(object.uid) { lifecycle, now, _ in
                lifecycle.sandboxFailed(message, now: now)
            }
        }
    }

    private func startContainer(
        _ object: Object, _ name: String, _ attempt: Int, podIP: String
    ) async {
        let uid = object.uid
        do throws(RuntimeError) {
            let all =
                (object.spec["initContainers"]?.elements ?? [])
                + (object.spec["containers"]?.elements ?? [])
            guard let container = all.first(where: { $0["name"]?.stringValue == name }) else {
                throw RuntimeError("CreateContainerError", "no such container in the pod")
            }
            let assembly = ContainerAssembly(
                facts: podFacts(object, podIP: podIP), sources: try await sources(object),
                volumes: volumeDirectory(uid), isIsolated: runtime.isIsolated)
            let configuration = try assembly.configuration(container, attempt: attempt)
            // The current attempt and the one before keep their logs.
            for old in await runtime.listContainers(sandbox: uid)
            where old.name == name && old.attempt < attempt - 1 {
                await runtime.removeContainer(old.id)
            }
            let id = try await runtime.createContainer(sandbox: uid, configuration)
            let started = try await runtime.startContainer(id)
            report(uid) { lifecycle, now, _ in
                lifecycle.containerStarted(
                    name, id: id, startedAt: started.startedAt, now: now)
            }
            // It may have ended before the agent's loop knew that it runs.
            if let current = await runtime.containerStatus(id), current.state != .running {
                mailbox.post(.runtime(.containerExited(current)))
            }
            await runPostStart(object, container, id, podIP: podIP)
        } catch {
            report(uid) { lifecycle, now, wall in
                lifecycle.containerFailed(name, error, now: now, wall: wall)
            }
        }
    }

    /// A container whose hook fails is stopped; the restart policy says what follows.
    private func runPostStart(
        _ object: Object, _ container: JSON, _ id: String, podIP: String
    ) async {
        guard let hook = container.path("lifecycle", "postStart") else { return }
        if let seconds = hook.path("sleep", "seconds")?.intValue {
            try? await Task.sleep(for: .seconds(seconds))
            return
        }
        guard let check = Probe.Check(hook) else { return }
        let description = ContainerDescription(container)
        let outcome = await probes.run(
            check, timeoutSeconds: Self.postStartSecondsMax, container: description, id: id,
            podIP: podIP)
        guard !outcome.succeeded else { return }
        events.record(
            PodEvent(
                "FailedPostStartHook", "PostStartHook failed: \(outcome.output)",
                container: description.name, isWarning: true), pod: object)
        await runtime.stopContainer(id, graceMilliseconds: 2_000)
    }

    private func stopContainer(
        _ id: String, _ graceSeconds: Int64, _ preStop: JSON?, _ container: ContainerDescription?,
        podIP: String
    ) async {
        let begin = MonotonicTime.now()
        var left = UInt64(max(0, graceSeconds)) * 1000
        if let preStop, let container, left > 0 {
            if let seconds = preStop.path("sleep", "seconds")?.intValue {
                try? await Task.sleep(for: .seconds(min(seconds, graceSeconds)))
            } else if let check = Probe.Check(preStop) {
                _ = await probes.run(
                    check, timeoutSeconds: graceSeconds, container: container, id: id,
                    podIP: podIP)
            }
            // Whatever the hook took, two seconds are left, as upstream.
            let spent = MonotonicTime.now().milliseconds(since: begin)
            left = max(2_000, left > spent ? left - spent : 0)
        }
        await runtime.stopContainer(id, graceMilliseconds: left)
    }
}
