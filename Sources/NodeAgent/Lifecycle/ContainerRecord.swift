package import Basics

/// How a container ended.
package struct Termination: Sendable, Hashable {
    package var code: Int32
    package var reason: String
    package var message: String
    package var startedAt: String
    package var finishedAt: String
    package var containerID: String

    package init(
        code: Int32, reason: String, message: String = "", startedAt: String = "",
        finishedAt: String, containerID: String = ""
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.containerID = containerID
    }
}

/// One container of a pod as the lifecycle knows it.
package struct ContainerRecord: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        case waiting(reason: String, message: String)
        case starting
        case running(id: String, startedAt: String)
        case terminated(Termination)
    }

    package var description: ContainerDescription
    package var state: State = .waiting(reason: "ContainerCreating", message: "")
    package var lastTermination: Termination?
    /// Starts after the first; also the number of the current or next attempt's log.
    package var restartCount = 0
    /// Whether a container was ever started, so that the next start is a restart.
    package var hasRun = false
    package var containerID = ""
    /// Not started again before this.
    package var retryAt: MonotonicTime?
    /// Restarts in a row, for the back-off.
    package var backoffStep = 0
    package var startedAt: MonotonicTime?
    package var isStopping = false
    /// Whether the startup probe, if any, has succeeded.
    package var isStarted = false
    package var probes: [Probe.Kind: ProbeState] = [:]

    package init(_ description: ContainerDescription) {
        self.description = description
    }

    package var name: String { description.name }

    package var runningID: String? {
        if case .running(let id, _) = state { return id }
        return nil
    }

    package var isActive: Bool {
        switch state {
        case .starting, .running: true
        case .waiting, .terminated: false
        }
    }

    package var termination: Termination? {
        if case .terminated(let termination) = state { return termination }
        return nil
    }

    package var isReady: Bool {
        if description.isInit, !description.isSidecar { return termination?.code == 0 }
        guard runningID != nil, isStarted, !isStopping else { return false }
        return probes[.readiness].map { $0.verdict == true } ?? true
    }

    /// Enters the running state.
    package mutating func run(
        id: String, startedAt text: String, now: MonotonicTime, wasStarted: Bool = false
    ) {
        state = .running(id: id, startedAt: text)
        containerID = id
        hasRun = true
        retryAt = nil
        startedAt = now
        isStopping = false
        isStarted = wasStarted || description.startupProbe == nil
        probes = [:]
        if !isStarted { probes[.startup] = make(description.startupProbe, now) }
        if isStarted { beginProbes(now) }
    }

    /// Readiness and liveness are asked only after the startup.
    package mutating func beginProbes(_ now: MonotonicTime) {
        probes[.startup] = nil
        let begin = startedAt ?? now
        probes[.readiness] = make(description.readinessProbe, begin)
        probes[.liveness] = make(description.livenessProbe, begin)
    }

    private func make(_ probe: Probe?, _ now: MonotonicTime) -> ProbeState? {
        probe.map { ProbeState($0, startedAt: now) }
    }

    static let backoffFirstMilliseconds: UInt64 = 10_000
    static let backoffMaxMilliseconds: UInt64 = 300_000
    /// A container that ran this long starts its back-off anew.
    static let backoffResetMilliseconds: UInt64 = 600_000

    /// Upstream's: the first restart at once, then 10 s doubling to 300 s after each end.
    package mutating func nextBackoffMilliseconds(now: MonotonicTime) -> UInt64 {
        if let startedAt, now.milliseconds(since: startedAt) >= Self.backoffResetMilliseconds {
            backoffStep = 0
        }
        defer { backoffStep += 1 }
        guard backoffStep > 0 else { return 0 }
        return min(
            Self.backoffFirstMilliseconds << UInt64(min(backoffStep - 1, 10)),
            Self.backoffMaxMilliseconds)
    }
}
