package import Basics
import Objects

extension PodLifecycle {
    /// Whether the pod is to end, or has ended and is to be cleaned up.
    var isEnding: Bool { pod.isBeingDeleted || wasOver || failure != nil || isOver }

    /// Whether every container has ended for good.
    package var isOver: Bool {
        if failedInit { return true }
        let main = records.filter { !$0.description.isInit }
        return !main.isEmpty
            && main.allSatisfy { record in
                record.termination.map { !restarts(record, after: $0) } ?? false
            }
    }

    /// Whether an init container has failed for good.
    var failedInit: Bool {
        pod.restartPolicy == .never
            && records.contains {
                $0.description.isInit && !$0.description.isSidecar
                    && ($0.termination.map { $0.code != 0 } ?? false)
            }
    }

    func restarts(_ record: ContainerRecord, after termination: Termination) -> Bool {
        if record.description.isSidecar { return true }
        switch pod.restartPolicy {
        case .never: return false
        case .onFailure: return termination.code != 0
        case .always: return !record.description.isInit || termination.code != 0
        }
    }

    /// Does what is due now. Called after every input and at `wake()`.
    package mutating func advance(now: MonotonicTime) -> [PodAction] {
        guard !hasFinished else { return [] }
        var actions: [PodAction] = []
        if let deadline, deadline <= now, failure == nil, !isEnding {
            failure = (
                "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
            )
            let message = failure?.message ?? ""
            actions.append(.event(PodEvent("DeadlineExceeded", message)))
        }
        actions += isEnding ? end() : run(now)
        return actions
    }

    // MARK: Ending

    private mutating func end() -> [PodAction] {
        var actions: [PodAction] = []
        for index in records.indices where !records[index].description.isInit {
            actions += stop(index)
        }
        let mainEnded = records.allSatisfy { $0.description.isInit || !$0.isActive }
        if mainEnded {
            // The last sidecar started is the first to stop.
            if let index = records.indices.last(where: {
                records[$0].description.isInit && records[$0].isActive
            }) {
                actions += stop(index)
            }
        }
        guard records.allSatisfy({ !$0.isActive }), volumes != .underWay, sandbox != .underWay,
            !isRefreshingVolumes
        else { return actions }
        switch sandboxStop {
        case .idle:
            sandboxStop = .underWay
            actions.append(.stopSandbox)
        case .done where pod.isBeingDeleted:
            hasFinished = true
            actions.append(.remove)
        case .underWay, .done, .failed: break
        }
        return actions
    }

    mutating func stop(_ index: Int, announced: Bool = true) -> [PodAction] {
        guard let id = records[index].runningID, !records[index].isStopping else { return [] }
        records[index].isStopping = true
        let name = records[index].name
        let stop = PodAction.stopContainer(
            id: id, graceSeconds: pod.graceSeconds, preStop: records[index].description.preStop)
        guard announced else { return [stop] }
        return [.event(PodEvent("Killing", "Stopping container \(name)", container: name)), stop]
    }

    // MARK: Running

    private mutating func run(_ now: MonotonicTime) -> [PodAction] {
        guard begin(&volumes, now) == false else { return [.prepareVolumes] }
        guard volumes == .done else { return [] }
        guard begin(&sandbox, now) == false else { return [.runSandbox] }
        guard sandbox == .done else { return [] }
        var actions = refreshVolumes(now)
        var isInitialized = true
        for index in records.indices {
            let record = records[index]
            guard isInitialized || record.runningID != nil else { continue }
            if record.description.isInit, !record.description.isSidecar {
                if record.termination?.code != 0 {
                    if isInitialized { actions += start(index, now) }
                    isInitialized = false
                }
            } else {
                actions += start(index, now)
                if record.description.isSidecar {
                    isInitialized = isInitialized && records[index].isStarted
                }
            }
            actions += probes(index, now)
        }
        return actions
    }

    /// Whether the step is to be begun now; it then counts as under way.
    private mutating func refreshVolumes(_ now: MonotonicTime) -> [PodAction] {
        guard let due = volumesDue, due <= now, !isRefreshingVolumes else { return [] }
        isRefreshingVolumes = true
        volumesDue = nil
        return [.prepareVolumes]
    }

    private func begin(_ step: inout Step, _ now: MonotonicTime) -> Bool {
        switch step {
        case .idle: step = .underWay
        case .failed(_, let retryAt) where retryAt <= now: step = .underWay
        case .failed, .underWay, .done: return false
        }
        return true
    }

    private mutating func start(_ index: Int, _ now: MonotonicTime) -> [PodAction] {
        let record = records[index]
        var actions: [PodAction] = []
        if let termination = record.termination {
            guard restarts(record, after: termination) else { return [] }
            records[index].lastTermination = termination
            if let retryAt = record.retryAt, retryAt > now {
                let seconds = (retryAt.milliseconds(since: now) + 999) / 1000
                let place = "container=\(record.name) pod=\(pod.name)_\(pod.namespace)(\(pod.uid))"
                records[index].state = .waiting(
                    reason: "CrashLoopBackOff",
                    message: "back-off \(Self.duration(seconds)) restarting failed \(place)")
                let text =
                    "Back-off restarting failed container \(record.name) in pod "
                    + "\(pod.name)_\(pod.namespace)(\(pod.uid))"
                return [
                    .event(PodEvent("BackOff", text, container: record.name, isWarning: true))
                ]
            }
        } else if record.isActive {
            return []
        } else if let retryAt = record.retryAt, retryAt > now {
            return []
        }
        if record.hasRun { records[index].restartCount += 1 }
        records[index].hasRun = false
        records[index].state = .starting
        records[index].retryAt = nil
        actions.append(
            .startContainer(name: record.name, attempt: records[index].restartCount))
        return actions
    }

    /// Go's way to write whole seconds: 10s, 2m40s.
    static func duration(_ seconds: UInt64) -> String {
        seconds < 60 ? "\(seconds)s" : "\(seconds / 60)m\(seconds % 60)s"
    }

    private mutating func probes(_ index: Int, _ now: MonotonicTime) -> [PodAction] {
        guard let id = records[index].runningID, !records[index].isStopping else { return [] }
        var actions: [PodAction] = []
        for kind in Probe.Kind.allCases {
            guard let state = records[index].probes[kind],
                records[index].probes[kind]?.begin(now: now) == true
            else { continue }
            actions.append(
                .probe(container: records[index].name, id: id, kind: kind, probe: state.probe))
        }
        return actions
    }
}
