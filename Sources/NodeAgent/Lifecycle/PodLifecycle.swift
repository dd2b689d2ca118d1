package import Documents
package import Basics
import Objects

/// The life of one pod on this node: what was wanted and what was seen go in, actions come out.
/// Pure: time is an argument, and the shell does what the actions say.
package struct PodLifecycle: Sendable {
    enum Step: Sendable, Hashable {
        case idle
        case underWay
        case done
        case failed(message: String, retryAt: MonotonicTime)
    }

    package internal(set) var pod: PodDescription
    package internal(set) var records: [ContainerRecord]
    package internal(set) var podIP = ""
    /// When the agent accepted the pod, RFC 3339.
    package internal(set) var startTime: String
    var volumes = Step.idle
    /// When volumes made of API data are next compared with it; nil without such volumes.
    var volumesDue: MonotonicTime?
    var isRefreshingVolumes = false
    var sandbox = Step.idle
    /// Whether the sandbox, once up, is being or has been taken down.
    var sandboxStop = Step.idle
    var startedAt: MonotonicTime
    /// The object is gone from the store.
    var isRemoved = false
    /// A pod that was over before this agent saw it; its status stays as it stands.
    var wasOver = false
    /// Why the whole pod failed, for example `DeadlineExceeded`.
    var failure: (reason: String, message: String)?
    var hasFinished = false

    /// `observed` is what the runtime still has of the pod, `status` what the store shows.
    package init(
        _ pod: PodDescription, sandbox observed: PodSandbox?, containers: [RuntimeContainer],
        status: JSON, now: MonotonicTime, wall: WallTime
    ) {
        self.pod = pod
        startedAt = now
        startTime = status["startTime"]?.stringValue ?? wall.rfc3339
        records = pod.all.map { ContainerRecord($0) }
        let phase = status["phase"]?.stringValue
        wasOver = phase == "Succeeded" || phase == "Failed"
        if let observed {
            podIP = observed.ip
            if observed.isReady { sandbox = .done }
        }
        for index in records.indices {
            let name = records[index].name
            let own = containers.filter { $0.name == name }
            adopt(
                own, at: index, stored: Self.stored(name, in: status),
                isSandboxReady: observed?.isReady ?? false, now: now, wall: wall)
        }
    }

    private static func stored(_ name: String, in status: JSON) -> JSON? {
        let all =
            (status["initContainerStatuses"]?.elements ?? [])
            + (status["containerStatuses"]?.elements ?? [])
        return all.first { $0["name"]?.stringValue == name }
    }

    private mutating func adopt(
        _ attempts: [RuntimeContainer], at index: Int, stored: JSON?, isSandboxReady: Bool,
        now: MonotonicTime, wall: WallTime
    ) {
        records[index].restartCount = Int(stored?["restartCount"]?.intValue ?? 0)
        records[index].hasRun = stored?["containerID"]?.stringValue.map { !$0.isEmpty } ?? false
        guard let last = attempts.last else { return }
        if let previous = attempts.dropLast().last {
            records[index].lastTermination = Self.termination(of: previous, wall: wall)
        }
        records[index].restartCount = max(records[index].restartCount, last.attempt)
        records[index].containerID = last.id
        switch last.state {
        case .created: break
        case .running:
            let wasStarted = stored?["started"]?.boolValue ?? false
            records[index].run(
                id: last.id, startedAt: last.startedAt, now: now, wasStarted: wasStarted)
            if stored?["ready"]?.boolValue == true { records[index].probes[.readiness]?.assume() }
        case .exited, .lost:
            records[index].hasRun = true
            guard let termination = Self.termination(of: last, wall: wall) else { return }
            records[index].state = .terminated(termination)
            // A new sandbox runs the init containers again.
            let isInit = records[index].description.isInit
            if isInit, !isSandboxReady {
                records[index].lastTermination = termination
                records[index].state = .waiting(reason: "PodInitializing", message: "")
            }
        }
    }

    static func termination(of container: RuntimeContainer, wall: WallTime) -> Termination? {
        switch container.state {
        case .created, .running: return nil
        case .exited(let code, let finishedAt):
            return Termination(
                code: code, reason: code == 0 ? "Completed" : "Error",
                message: container.terminationMessage, startedAt: seconds(container.startedAt),
                finishedAt: seconds(finishedAt), containerID: container.id)
        case .lost:
            return Termination(
                code: 255, reason: "Unknown", startedAt: seconds(container.startedAt),
                finishedAt: wall.rfc3339, containerID: container.id)
        }
    }

    /// The API shows whole seconds.
    static func seconds(_ time: String) -> String {
        guard let dot = time.firstIndex(of: ".") else { return time }
        return time[..<dot] + "Z"
    }

    /// Whether the object has left the store.
    package var isObjectGone: Bool { isRemoved }

    func index(_ name: String) -> Int? { records.firstIndex { $0.name == name } }

    /// When `advance` is to be called again without another input; nil for never.
    package func wake() -> MonotonicTime? {
        var times: [MonotonicTime] = []
        if case .failed(_, let retryAt) = volumes { times.append(retryAt) }
        if case .failed(_, let retryAt) = sandbox { times.append(retryAt) }
        for record in records {
            if let retryAt = record.retryAt, !record.isActive { times.append(retryAt) }
            guard record.runningID != nil, !record.isStopping else { continue }
            for kind in Probe.Kind.allCases {
                if let probe = record.probes[kind], !probe.isInFlight { times.append(probe.due) }
            }
        }
        if let volumesDue, !isRefreshingVolumes, !isEnding { times.append(volumesDue) }
        if let deadline, failure == nil { times.append(deadline) }
        return times.min()
    }

    var deadline: MonotonicTime? {
        pod.activeDeadlineSeconds.map {
            startedAt.advanced(milliseconds: UInt64(max(0, $0)) * 1000)
        }
    }
}
