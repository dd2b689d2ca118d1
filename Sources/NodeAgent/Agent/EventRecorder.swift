import Documents
import Basics
import Keyspace
import Objects
import Store

/// Writes events, many in one commit. Repeats of an event raise its count.
final class EventRecorder: Sendable {
    private struct Pending: Sendable {
        var pod: Object
        var event: PodEvent
        var time: WallTime
    }

    private struct State {
        var seen: [String: JSON] = [:]
        var lease: Int64 = 0
        var leaseUntil = MonotonicTime(nanoseconds: 0)
        var lastName: Int64 = 0
    }

    private static let perCommitMax = 100
    private static let seenMax = 4096
    private static let leaseSeconds: Int64 = 3600
    /// Events of this long share a lease.
    private static let leaseShareMilliseconds: UInt64 = 300_000

    private let store: any Store
    private let nodeName: String
    private let mailbox = Mailbox<Pending>()
    private let state = Locked(State())

    init(store: any Store, nodeName: String) {
        self.store = store
        self.nodeName = nodeName
    }

    func record(_ event: PodEvent, pod: Object) {
        mailbox.post(Pending(pod: pod, event: event, time: .now()))
    }

    func run() async {
        while !Task.isCancelled {
            let batch = await mailbox.next()
            guard !Task.isCancelled else { return }
            var mutations: [CommitRequest.Mutation] = []
            let lease = await lease()
            for pending in batch {
                let json = json(pending)
                let key = ResourceKind.event.key(
                    namespace: pending.pod.namespace,
                    name: json.path("metadata", "name")?.stringValue ?? "")
                let object = Object(kind: ResourceKind.event, json: json)
                let mutation = CommitRequest.Mutation.put(
                    key: key, value: object.encodeStored(), lease: lease)
                // A repeat within the batch replaces what it repeats.
                mutations.removeAll {
                    if case .put(key, _, _) = $0 { true } else { false }
                }
                mutations.append(mutation)
                if mutations.count == Self.perCommitMax {
                    await commit(mutations)
                    mutations = []
                }
            }
            await commit(mutations)
        }
    }

    func stop() {
        mailbox.post(
            Pending(
                pod: Object(kind: ResourceKind.pod, json: [:]), event: .init("", ""), time: .now()))
    }

    /// An event that the store does not take is lost, as upstream after some tries.
    private func commit(_ mutations: [CommitRequest.Mutation]) async {
        guard !mutations.isEmpty else { return }
        for attempt in 0..<3 {
            if attempt > 0 { try? await Task.sleep(for: .milliseconds(500)) }
            if (try? await store.commit(CommitRequest(mutations: mutations))) != nil { return }
        }
    }

    private func lease() async -> Int64 {
        let now = MonotonicTime.now()
        let held = state.withLock { $0.leaseUntil > now ? $0.lease : 0 }
        if held != 0 { return held }
        let granted = try? await store.leaseGrant(id: 0, ttlSeconds: Self.leaseSeconds)
        guard let granted else { return 0 }
        state.withLock {
            $0.lease = granted.id
            $0.leaseUntil = now.advanced(milliseconds: Self.leaseShareMilliseconds)
        }
        return granted.id
    }

    private func json(_ pending: Pending) -> JSON {
        let (pod, event, time) = (pending.pod, pending.event, pending.time)
        let seenKey = "\(pod.uid)|\(event.container)|\(event.reason)|\(event.message)"
        return state.withLock { state in
            if var json = state.seen[seenKey] {
                json["count"] = .integer((json["count"]?.intValue ?? 1) + 1)
                json["lastTimestamp"] = .string(time.rfc3339)
                state.seen[seenKey] = json
                return json
            }
            if state.seen.count >= Self.seenMax { state.seen = [:] }
            state.lastName = max(state.lastName + 1, time.microseconds * 1000)
            let json = fresh(pod, event, time, number: state.lastName)
            state.seen[seenKey] = json
            return json
        }
    }

    private func fresh(_ pod: Object, _ event: PodEvent, _ time: WallTime, number: Int64) -> JSON {
        var random = SystemRandomNumberGenerator()
        var involved: JSON = [
            "kind": "Pod", "namespace": .string(pod.namespace), "name": .string(pod.name),
            "uid": .string(pod.uid), "apiVersion": "v1",
            "resourceVersion": .string(String(pod.revision)),
        ]
        if !event.container.isEmpty {
            let isInit = (pod.spec["initContainers"]?.elements ?? []).contains {
                $0["name"]?.stringValue == event.container
            }
            let list = isInit ? "initContainers" : "containers"
            involved["fieldPath"] = .string("spec.\(list){\(event.container)}")
        }
        return [
            "kind": "Event", "apiVersion": "v1",
            "metadata": [
                "name": .string("\(pod.name).\(String(number, radix: 16))"),
                "namespace": .string(pod.namespace),
                "uid": .string(Names.uid(using: &random)),
                "creationTimestamp": .string(time.rfc3339),
            ],
            "involvedObject": involved, "reason": .string(event.reason),
            "message": .string(String(event.message.prefix(1024))),
            "source": ["component": "kubelet", "host": .string(nodeName)],
            "firstTimestamp": .string(time.rfc3339), "lastTimestamp": .string(time.rfc3339),
            "count": 1, "type": event.isWarning ? "Warning" : "Normal", "eventTime": .null,
            "reportingComponent": "kubelet", "reportingInstance": .string(nodeName),
        ]
    }
}
