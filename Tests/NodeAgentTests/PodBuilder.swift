import Documents
import Basics
import NodeAgent
import Objects

/// Makes pods for the tests.
enum PodBuilder {
    static func pod(
        _ name: String, uid: String = "u1", containers: JSON = [["name": "c", "image": "i"]],
        more: JSON = [:]
    ) -> Object {
        var spec: JSON = ["nodeName": "node-1", "containers": containers]
        for member in more.objectValue ?? JSONObject() { spec[member.key] = member.value }
        return Object(
            kind: .pod,
            json: [
                "apiVersion": "v1", "kind": "Pod",
                "metadata": [
                    "name": .string(name), "namespace": "default", "uid": .string(uid),
                    "generation": 1, "labels": ["app": "web"],
                    "annotations": ["b": "2", "a": "say \"x\""],
                ],
                "spec": spec, "status": ["phase": "Pending"],
            ])
    }

    static func facts(_ pod: Object) -> PodFacts {
        PodFacts(
            pod: pod, podIP: "10.64.1.2", hostIP: "192.0.2.2", nodeName: "node-1",
            allocatable: ["cpu": 2000, "memory": 1 << 30])
    }
}

/// A lifecycle with a clock of its own, driven by hand.
struct Driver {
    var lifecycle: PodLifecycle
    var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    let wall = WallTime(seconds: 1_800_000_000)

    init(_ pod: Object, sandbox: PodSandbox? = nil, containers: [RuntimeContainer] = []) {
        lifecycle = PodLifecycle(
            PodDescription(pod), sandbox: sandbox, containers: containers, status: pod.status,
            now: now, wall: wall)
    }

    /// Takes the pod to where its containers are started; answers the first start.
    mutating func begin() -> [PodAction] {
        _ = lifecycle.advance(now: now)
        _ = lifecycle.volumesPrepared(failure: nil, now: now)
        return lifecycle.sandboxStarted(ip: "10.64.1.2", now: now)
    }

    mutating func started(_ name: String, attempt: Int = 0) -> [PodAction] {
        lifecycle.containerStarted(
            name, id: "\(name)\(attempt)", startedAt: "2026-01-02T03:04:05.000000000Z", now: now)
    }

    mutating func exited(_ name: String, attempt: Int = 0, code: Int32) -> [PodAction] {
        let container = RuntimeContainer(
            id: "\(name)\(attempt)", sandbox: "u1", name: name, attempt: attempt, image: "i",
            state: .exited(code: code, finishedAt: "2026-01-02T03:04:06.000000000Z"),
            startedAt: "2026-01-02T03:04:05.000000000Z")
        return lifecycle.containerExited(container, now: now, wall: wall)
    }

    mutating func pass(_ milliseconds: UInt64) -> [PodAction] {
        now = now.advanced(milliseconds: milliseconds)
        return lifecycle.advance(now: now)
    }

    func status() -> JSON { lifecycle.status(stored: [:], hostIP: "192.0.2.2", wall: wall) }

    func condition(_ type: String) -> String? {
        status()["conditions"]?.elements.first { $0["type"]?.stringValue == type }?["status"]?
            .stringValue
    }
}

extension [PodAction] {
    var starts: [String] {
        compactMap {
            if case .startContainer(let name, let attempt) = $0 { "\(name)\(attempt)" } else { nil }
        }
    }
    var stops: [String] {
        compactMap { if case .stopContainer(let id, _, _) = $0 { id } else { nil } }
    }
    var events: [String] {
        compactMap { if case .event(let event) = $0 { event.reason } else { nil } }
    }
    var probes: [Probe.Kind] {
        compactMap { if case .probe(_, _, let kind, _) = $0 { kind } else { nil } }
    }
}
