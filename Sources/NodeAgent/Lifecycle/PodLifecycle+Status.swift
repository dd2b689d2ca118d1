package import Documents
package import Basics
import Objects

extension PodLifecycle {
    package var phase: String {
        if failure != nil || failedInit { return "Failed" }
        let inits = records.filter { $0.description.isInit && !$0.description.isSidecar }
        let main = records.filter { !$0.description.isInit }
        if inits.contains(where: { $0.termination?.code != 0 }) { return "Pending" }
        var running = 0
        var stopped = 0
        var succeeded = 0
        for record in main {
            switch record.state {
            case .running: running += 1
            case .terminated(let termination):
                stopped += 1
                if termination.code == 0 { succeeded += 1 }
            case .starting, .waiting:
                guard record.lastTermination != nil else { return "Pending" }
                stopped += 1
            }
        }
        if running > 0 { return "Running" }
        guard stopped > 0 else { return "Pending" }
        if pod.restartPolicy == .always, !pod.isBeingDeleted { return "Running" }
        if succeeded == stopped { return "Succeeded" }
        return pod.restartPolicy == .never || pod.isBeingDeleted ? "Failed" : "Running"
    }

    /// The pod's status; `stored` is the one in the store, whose foreign parts and unchanged
    /// transition times are kept.
    package func status(stored: JSON, hostIP: String, wall: WallTime) -> JSON {
        guard !wasOver else { return stored }
        var status = stored
        let phase = phase
        status["phase"] = .string(phase)
        status["observedGeneration"] = pod.generation > 0 ? .integer(pod.generation) : nil
        status["startTime"] = .string(startTime)
        status["hostIP"] = .string(hostIP)
        status["hostIPs"] = [["ip": .string(hostIP)]]
        if !podIP.isEmpty {
            status["podIP"] = .string(podIP)
            status["podIPs"] = [["ip": .string(podIP)]]
        }
        if let failure {
            status["reason"] = .string(failure.reason)
            status["message"] = .string(failure.message)
        }
        let inits = records.filter(\.description.isInit)
        if !inits.isEmpty {
            status["initContainerStatuses"] = .array(inits.map { containerStatus($0) })
        }
        status["containerStatuses"] = .array(
            records.filter { !$0.description.isInit }.map { containerStatus($0) })
        status["conditions"] = .array(conditions(stored: stored, phase: phase, wall: wall))
        return status
    }

    private func containerStatus(_ record: ContainerRecord) -> JSON {
        var json: JSON = [
            "name": .string(record.name), "state": state(record),
            "lastState": [:], "ready": .bool(record.isReady),
            "restartCount": .integer(Int64(record.restartCount)),
            "image": .string(record.description.image), "imageID": "",
        ]
        if let last = record.lastTermination { json["lastState"] = terminated(last) }
        if !record.containerID.isEmpty {
            json["containerID"] = .string("martlet://\(record.containerID)")
        }
        let isStarted = record.runningID != nil && record.isStarted
        json["started"] = .bool(isStarted)
        return json
    }

    private func state(_ record: ContainerRecord) -> JSON {
        switch record.state {
        case .running(_, let startedAt): return ["running": ["startedAt": .string(startedAt)]]
        case .terminated(let termination): return terminated(termination)
        case .starting: return waiting("ContainerCreating", "")
        case .waiting(let reason, let message):
            let isBlocked = !record.description.isInit && isInitializing
            return waiting(isBlocked ? "PodInitializing" : reason, message)
        }
    }

    private var isInitializing: Bool {
        records.contains {
            $0.description.isInit && !$0.description.isSidecar && $0.termination?.code != 0
        }
    }

    private func waiting(_ reason: String, _ message: String) -> JSON {
        var json: JSON = ["reason": .string(reason)]
        if !message.isEmpty { json["message"] = .string(message) }
        return ["waiting": json]
    }

    private func terminated(_ termination: Termination) -> JSON {
        var json: JSON = [
            "exitCode": .integer(Int64(termination.code)), "reason": .string(termination.reason),
        ]
        if !termination.message.isEmpty { json["message"] = .string(termination.message) }
        json["startedAt"] = termination.startedAt.isEmpty ? .null : .string(termination.startedAt)
        json["finishedAt"] = .string(termination.finishedAt)
        if !termination.containerID.isEmpty {
            json["containerID"] = .string("martlet://\(termination.containerID)")
        }
        return ["terminated": json]
    }

    // MARK: Conditions

    private struct Condition {
        var type: String
        var isTrue: Bool
        var reason = ""
        var message = ""
    }

    private func conditions(stored: JSON, phase: String, wall: WallTime) -> [JSON] {
        let old = stored["conditions"]?.elements ?? []
        var own = [
            Condition(
                type: "PodReadyToStartContainers",
                isTrue: sandbox == .done && sandboxStop == .idle),
            initialized(phase), containersReady(phase),
        ]
        own.append(ready(own[2], old))
        let ownTypes = own.map(\.type)
        var result = old.filter { !ownTypes.contains($0["type"]?.stringValue ?? "") }
        // Scheduled by name, without a scheduler.
        if !result.contains(where: { $0["type"] == "PodScheduled" }) {
            own.append(Condition(type: "PodScheduled", isTrue: true))
        }
        for condition in own {
            let before = old.first { $0["type"]?.stringValue == condition.type }
            let value = condition.isTrue ? "True" : "False"
            var json: JSON = [
                "type": .string(condition.type), "status": .string(value),
                "lastProbeTime": .null,
                "lastTransitionTime": .string(wall.rfc3339),
            ]
            if let before, before["status"]?.stringValue == value,
                let time = before["lastTransitionTime"]
            {
                json["lastTransitionTime"] = time
            }
            if pod.generation > 0 { json["observedGeneration"] = .integer(pod.generation) }
            if !condition.reason.isEmpty { json["reason"] = .string(condition.reason) }
            if !condition.message.isEmpty { json["message"] = .string(condition.message) }
            result.append(json)
        }
        return result
    }

    private func initialized(_ phase: String) -> Condition {
        let missing = records.filter {
            guard $0.description.isInit else { return false }
            return $0.description.isSidecar ? !$0.isStarted : $0.termination?.code != 0
        }
        if missing.isEmpty || phase == "Succeeded" {
            let reason = phase == "Succeeded" ? "PodCompleted" : ""
            return Condition(type: "Initialized", isTrue: true, reason: reason)
        }
        return Condition(
            type: "Initialized", isTrue: false, reason: "ContainersNotInitialized",
            message: "containers with incomplete status: [\(names(missing))]")
    }

    private func containersReady(_ phase: String) -> Condition {
        let missing = records.filter {
            (!$0.description.isInit || $0.description.isSidecar) && !$0.isReady
        }
        if missing.isEmpty { return Condition(type: "ContainersReady", isTrue: true) }
        if phase == "Succeeded" {
            return Condition(type: "ContainersReady", isTrue: false, reason: "PodCompleted")
        }
        if phase == "Failed" {
            return Condition(type: "ContainersReady", isTrue: false, reason: "PodFailed")
        }
        return Condition(
            type: "ContainersReady", isTrue: false, reason: "ContainersNotReady",
            message: "containers with unready status: [\(names(missing))]")
    }

    private func ready(_ containers: Condition, _ old: [JSON]) -> Condition {
        var ready = containers
        ready.type = "Ready"
        guard containers.isTrue else { return ready }
        for gate in pod.readinessGates {
            let isTrue = old.contains { $0["type"]?.stringValue == gate && $0["status"] == "True" }
            if isTrue { continue }
            return Condition(
                type: "Ready", isTrue: false, reason: "ReadinessGatesNotReady",
                message: "corresponding condition of pod readiness gate \"\(gate)\" does not exist."
            )
        }
        return ready
    }

    private func names(_ records: [ContainerRecord]) -> String {
        records.map(\.name).joined(separator: " ")
    }
}
