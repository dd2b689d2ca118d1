package import Documents
package import Basics

extension TablePrinter {
    static let pod = TablePrinter(
        [
            .name, TableColumn("Ready", "Ready containers of all."),
            TableColumn("Status", "Where the pod is in its life."),
            TableColumn("Restarts", "Restarts of its containers, and when the last one was."),
            .age, TableColumn("IP", "Address of the pod.", wide: true),
            TableColumn("Node", "Node that runs the pod.", wide: true),
            TableColumn("Nominated Node", "Node that is being cleared for it.", wide: true),
            TableColumn("Readiness Gates", "Conditions that readiness waits for.", wide: true),
        ]
    ) { object, now in
        let summary = PodSummary(object)
        var restarts = "\(summary.restarts)"
        if summary.restarts != 0, let time = summary.lastRestart {
            restarts +=
                " (" + HumanDuration.text(seconds: now.seconds - time.seconds) + " ago)"
        }
        let status = object["status"]
        let address =
            status?["podIPs"]?.arrayValue?.first?["ip"]?.stringValue
            ?? status?["podIP"]?.stringValue
        return [
            name(object), .string("\(summary.ready)/\(summary.total)"), .string(summary.reason),
            .string(restarts), age(object, now), orNone(address),
            orNone(object["spec"]?["nodeName"]?.stringValue),
            orNone(status?["nominatedNodeName"]?.stringValue), readinessGates(object),
        ]
    }

    private static func readinessGates(_ object: JSON) -> JSON {
        let gates = object["spec"]?["readinessGates"]?.arrayValue ?? []
        guard !gates.isEmpty else { return "<none>" }
        let conditions = object["status"]?["conditions"]?.arrayValue ?? []
        let met = gates.count { gate in
            conditions.contains {
                $0["type"] == gate["conditionType"] && $0["status"]?.stringValue == "True"
            }
        }
        return .string("\(met)/\(gates.count)")
    }
}

/// What `kubectl get pods` says of a pod in one word, and the numbers beside it.
package struct PodSummary {
    package private(set) var ready: Int64 = 0
    package private(set) var total: Int64 = 0
    package private(set) var restarts: Int64 = 0
    package private(set) var lastRestart: WallTime?
    package private(set) var reason: String

    package init(_ pod: JSON) {
        let spec = pod["spec"]
        let status = pod["status"]
        let phase = status?["phase"]?.stringValue ?? ""
        let conditions = status?["conditions"]?.arrayValue ?? []
        let isTrue = { (type: String) in
            conditions.contains {
                $0["type"]?.stringValue == type && $0["status"]?.stringValue == "True"
            }
        }
        reason = phase
        if let own = status?["reason"]?.stringValue, !own.isEmpty { reason = own }
        if conditions.contains(where: {
            $0["type"]?.stringValue == "PodScheduled"
                && $0["reason"]?.stringValue == "SchedulingGated"
        }) {
            reason = "SchedulingGated"
        }
        total = Int64(spec?["containers"]?.arrayValue?.count ?? 0)
        let isInitializing = countInitContainers(spec, status)
        if !isInitializing || isTrue("Initialized") {
            countContainers(status, isReady: isTrue("Ready"))
        }
        if pod["metadata"]?["deletionTimestamp"]?.stringValue != nil {
            if status?["reason"]?.stringValue == "NodeLost" {
                reason = "Unknown"
            } else if phase != "Succeeded", phase != "Failed" {
                reason = "Terminating"
            }
        }
    }

    /// Side cars count as containers; of the others the first that is not done says the reason.
    private mutating func countInitContainers(_ spec: JSON?, _ status: JSON?) -> Bool {
        let containers = spec?["initContainers"]?.arrayValue ?? []
        let sideCars = containers.filter { $0["restartPolicy"]?.stringValue == "Always" }
            .compactMap { $0["name"]?.stringValue }
        total += Int64(sideCars.count)
        var sideCarRestarts: Int64 = 0
        var sideCarLastRestart: WallTime?
        var isInitializing = false
        for (index, container) in (status?["initContainerStatuses"]?.arrayValue ?? []).enumerated()
        {
            let count = container["restartCount"]?.intValue ?? 0
            let isSideCar = sideCars.contains(container["name"]?.stringValue ?? "")
            restarts += count
            lastRestart = Self.later(lastRestart, container)
            if isSideCar {
                sideCarRestarts += count
                sideCarLastRestart = Self.later(sideCarLastRestart, container)
            }
            if Self.exitCode(container) == 0 { continue }
            if isSideCar, container["started"]?.boolValue == true {
                if container["ready"]?.boolValue == true { ready += 1 }
                continue
            }
            let waiting = container["state"]?["waiting"]?["reason"]?.stringValue ?? ""
            if let why = Self.terminated(container) {
                reason = "Init:" + why
            } else if !waiting.isEmpty, waiting != "PodInitializing" {
                reason = "Init:" + waiting
            } else {
                reason = "Init:\(index)/\(containers.count)"
            }
            isInitializing = true
            break
        }
        if !isInitializing || Self.isInitialized(status) {
            restarts = sideCarRestarts
            lastRestart = sideCarLastRestart
        }
        return isInitializing
    }

    private mutating func countContainers(_ status: JSON?, isReady: Bool) {
        var hasRunning = false
        for container in (status?["containerStatuses"]?.arrayValue ?? []).reversed() {
            restarts += container["restartCount"]?.intValue ?? 0
            lastRestart = Self.later(lastRestart, container)
            let state = container["state"]
            if let waiting = state?["waiting"]?["reason"]?.stringValue, !waiting.isEmpty {
                reason = waiting
            } else if let why = Self.terminated(container) {
                reason = why
            } else if container["ready"]?.boolValue == true, state?["running"] != nil {
                hasRunning = true
                ready += 1
            }
        }
        if reason == "Completed", hasRunning { reason = isReady ? "Running" : "NotReady" }
    }

    private static func isInitialized(_ status: JSON?) -> Bool {
        (status?["conditions"]?.arrayValue ?? []).contains {
            $0["type"]?.stringValue == "Initialized" && $0["status"]?.stringValue == "True"
        }
    }

    private static func exitCode(_ container: JSON) -> Int64? {
        guard let terminated = container["state"]?["terminated"], case .object = terminated else {
            return nil
        }
        return terminated["exitCode"]?.intValue ?? 0
    }

    private static func terminated(_ container: JSON) -> String? {
        guard let code = exitCode(container) else { return nil }
        let terminated = container["state"]?["terminated"]
        if let reason = terminated?["reason"]?.stringValue, !reason.isEmpty { return reason }
        let signal = terminated?["signal"]?.intValue ?? 0
        return signal != 0 ? "Signal:\(signal)" : "ExitCode:\(code)"
    }

    private static func later(_ time: WallTime?, _ container: JSON) -> WallTime? {
        guard
            let finished = container["lastState"]?["terminated"]?["finishedAt"]?.stringValue,
            let end = WallTime(rfc3339: finished)
        else { return time }
        return time.map { max($0, end) } ?? end
    }
}
