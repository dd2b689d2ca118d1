package import Basics
import Objects

extension PodLifecycle {
    static let retryMilliseconds: UInt64 = 10_000
    /// The kubelet's sync period.
    static let volumeRefreshMilliseconds: UInt64 = 60_000

    package mutating func podChanged(_ changed: PodDescription, now: MonotonicTime) -> [PodAction] {
        // The containers of a pod do not change but for their images, which the next restart uses.
        for container in changed.all {
            if let index = index(container.name) { records[index].description = container }
        }
        if changed.metadata != pod.metadata, volumes == .done, pod.hasAPIVolumes {
            volumesDue = now
        }
        pod = changed
        return advance(now: now)
    }

    /// The object is gone: whatever grace was left, the node has no reason to keep the pod.
    package mutating func objectRemoved(now: MonotonicTime) -> [PodAction] {
        isRemoved = true
        if !pod.isBeingDeleted { pod.graceSeconds = min(pod.graceSeconds, 2) }
        pod.isBeingDeleted = true
        return advance(now: now)
    }

    package mutating func volumesPrepared(failure: String?, now: MonotonicTime) -> [PodAction] {
        if volumes == .done {
            isRefreshingVolumes = false
        } else {
            volumes = failure.map { .failed(message: $0, retryAt: retry(now)) } ?? .done
        }
        if volumes == .done, pod.hasAPIVolumes {
            // A change of the pod may have made it due already.
            volumesDue = volumesDue ?? now.advanced(milliseconds: Self.volumeRefreshMilliseconds)
        }
        let events = failure.map { [PodAction.event(PodEvent("FailedMount", $0, isWarning: true))] }
        return (events ?? []) + advance(now: now)
    }

    package mutating func sandboxStarted(ip: String, now: MonotonicTime) -> [PodAction] {
        sandbox = .done
        podIP = ip
        return advance(now: now)
    }

    package mutating func sandboxFailed(_ message: String, now: MonotonicTime) -> [PodAction] {
        sandbox = .failed(message: message, retryAt: retry(now))
        let text = "Failed to create pod sandbox: \(message)"
        return [.event(PodEvent("FailedCreatePodSandBox", text, isWarning: true))]
            + advance(now: now)
    }

    package mutating func sandboxStopped(now: MonotonicTime) -> [PodAction] {
        sandboxStop = .done
        return advance(now: now)
    }

    /// The sandbox died by itself, and every container with it.
    package mutating func sandboxLost(now: MonotonicTime, wall: WallTime) -> [PodAction] {
        guard sandbox == .done, sandboxStop == .idle else { return [] }
        sandbox = .idle
        var actions: [PodAction] = []
        for index in records.indices {
            if let id = records[index].runningID, case .running(_, let begun) = records[index].state
            {
                let lost = Termination(
                    code: 137, reason: "Error", message: "The pod's sandbox died.",
                    startedAt: Self.seconds(begun), finishedAt: wall.rfc3339, containerID: id)
                end(index, lost, now)
            } else if records[index].state == .starting {
                records[index].state = .waiting(reason: "ContainerCreating", message: "")
            }
            let isInit = records[index].description.isInit
            if isInit, let termination = records[index].termination {
                records[index].lastTermination = termination
                records[index].state = .waiting(reason: "PodInitializing", message: "")
            }
        }
        if !pod.isBeingDeleted {
            let text = "Pod sandbox changed, it will be killed and re-created."
            actions.append(.event(PodEvent("SandboxChanged", text)))
        }
        return actions + advance(now: now)
    }

    package mutating func containerStarted(
        _ name: String, id: String, startedAt: String, now: MonotonicTime
    ) -> [PodAction] {
        guard let index = index(name), records[index].state == .starting else { return [] }
        records[index].run(id: id, startedAt: Self.seconds(startedAt), now: now)
        return [
            .event(PodEvent("Created", "Container created", container: name)),
            .event(PodEvent("Started", "Container started", container: name)),
        ] + advance(now: now)
    }

    package mutating func containerFailed(
        _ name: String, _ error: RuntimeError, now: MonotonicTime, wall: WallTime
    ) -> [PodAction] {
        guard let index = index(name), records[index].state == .starting else { return [] }
        let text = "Error: \(error.message)"
        let event = PodAction.event(
            PodEvent("Failed", text, container: name, isWarning: true))
        if error.reason == "StartError" {
            // The container was made and its command could not be run: that is an end of it.
            records[index].hasRun = true
            let termination = Termination(
                code: 128, reason: "StartError", message: error.message,
                startedAt: "1970-01-01T00:00:00Z", finishedAt: wall.rfc3339,
                containerID: records[index].containerID)
            end(index, termination, now)
        } else {
            records[index].state = .waiting(reason: error.reason, message: error.message)
            records[index].retryAt = retry(now)
        }
        return [event] + advance(now: now)
    }

    package mutating func containerExited(
        _ container: RuntimeContainer, now: MonotonicTime, wall: WallTime
    ) -> [PodAction] {
        guard let index = index(container.name), records[index].runningID == container.id,
            let termination = Self.termination(of: container, wall: wall)
        else { return [] }
        end(index, termination, now)
        return advance(now: now)
    }

    private mutating func end(_ index: Int, _ termination: Termination, _ now: MonotonicTime) {
        records[index].state = .terminated(termination)
        records[index].isStarted = false
        records[index].isStopping = false
        records[index].probes = [:]
        let delay = records[index].nextBackoffMilliseconds(now: now)
        records[index].retryAt = now.advanced(milliseconds: delay)
    }

    package mutating func probeFinished(
        _ name: String, id: String, kind: Probe.Kind, succeeded: Bool, output: String,
        now: MonotonicTime
    ) -> [PodAction] {
        guard let index = index(name), records[index].runningID == id,
            var probe = records[index].probes[kind]
        else { return [] }
        let isNew = probe.finish(succeeded: succeeded, now: now)
        records[index].probes[kind] = probe
        var actions: [PodAction] = []
        if !succeeded, !records[index].isStopping {
            let text = "\(kind.rawValue) probe failed: \(output)"
            actions.append(
                .event(PodEvent("Unhealthy", text, container: name, isWarning: true)))
        }
        if isNew, !records[index].isStopping {
            actions += decide(index, kind, succeeded, now)
        }
        return actions + advance(now: now)
    }

    private mutating func decide(
        _ index: Int, _ kind: Probe.Kind, _ succeeded: Bool, _ now: MonotonicTime
    ) -> [PodAction] {
        switch kind {
        case .readiness: return []
        case .startup where succeeded:
            records[index].isStarted = true
            records[index].beginProbes(now)
            records[index].probes[.readiness]?.hasten(now: now)
            return []
        case .liveness where succeeded: return []
        case .startup, .liveness:
            let name = records[index].name
            let word = kind == .startup ? "startup" : "liveness"
            let text = "Container \(name) failed \(word) probe, will be restarted"
            return [.event(PodEvent("Killing", text, container: name))]
                + stop(index, announced: false)
        }
    }

    func retry(_ now: MonotonicTime) -> MonotonicTime {
        now.advanced(milliseconds: Self.retryMilliseconds)
    }
}
