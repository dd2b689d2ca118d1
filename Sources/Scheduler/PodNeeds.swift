import Documents
import Basics
import Informers
import Objects

/// What the scheduler must know of a pod, taken out of its JSON once.
struct PodNeeds: Sendable {
    struct HostPort: Sendable, Hashable {
        var address: String
        var transport: String
        var port: Int64

        func conflicts(with other: HostPort) -> Bool {
            port == other.port && transport == other.transport
                && (address == other.address || address == "0.0.0.0"
                    || other.address == "0.0.0.0")
        }
    }

    /// What a container without requests counts for in scores, so that such pods spread too.
    static let assumedMilliCPU: Int64 = 100
    static let assumedMemoryBytes: Int64 = 200 << 20

    let requests: Resources
    /// Requests for scores: with the assumed ones.
    let scored: Resources
    let hostPorts: [HostPort]
    let tolerations: [JSON]
    let nodeSelector: [(key: String, value: String)]
    /// Alternatives, one of which a node must match; nil for no demand.
    let requiredTerms: [NodeTerm]?
    let preferredTerms: [(weight: Int64, term: NodeTerm)]
    /// uid of the controller; pods of one controller spread.
    let ownerUID: String?
    let priority: Int64
    let created: WallTime

    init(_ pod: Object) {
        let spec = pod.spec
        requests = Self.total(spec, assumed: false)
        scored = Self.total(spec, assumed: true)
        hostPorts = Self.hostPorts(spec)
        tolerations = spec["tolerations"]?.elements ?? []
        nodeSelector = (spec["nodeSelector"]?.objectValue ?? JSONObject()).map {
            ($0.key, $0.value.stringValue ?? "")
        }
        let affinity = spec.path("affinity", "nodeAffinity")
        let required = affinity?["requiredDuringSchedulingIgnoredDuringExecution"]
        requiredTerms = required.map {
            ($0["nodeSelectorTerms"]?.elements ?? []).map(NodeTerm.init)
        }
        let preferred = affinity?["preferredDuringSchedulingIgnoredDuringExecution"]
        preferredTerms = (preferred?.elements ?? []).map {
            ($0["weight"]?.intValue ?? 0, NodeTerm($0["preference"] ?? [:]))
        }
        ownerUID = pod.controllerOwner?.uid
        priority = spec["priority"]?.intValue ?? 0
        created = pod.creationTimestamp ?? WallTime(microseconds: 0)
    }

    /// Containers run together, and beside them the init containers that do not end; the other
    /// init containers run one after the other before.
    private static func total(_ spec: JSON, assumed: Bool) -> Resources {
        var running = Resources()
        for container in spec["containers"]?.elements ?? [] {
            running += requests(of: container, assumed: assumed)
        }
        var sidecars = Resources()
        var starting = Resources()
        for container in spec["initContainers"]?.elements ?? [] {
            let own = requests(of: container, assumed: assumed)
            if container["restartPolicy"]?.stringValue == "Always" {
                sidecars += own
                starting.formMaximum(with: sidecars)
            } else {
                var step = sidecars
                step += own
                starting.formMaximum(with: step)
            }
        }
        running += sidecars
        running.formMaximum(with: starting)
        running += Resources(spec["overhead"])
        return running
    }

    private static func requests(of container: JSON, assumed: Bool) -> Resources {
        var result = Resources(container.path("resources", "requests"))
        if assumed {
            if result.milliCPU == 0 { result.milliCPU = assumedMilliCPU }
            if result.memoryBytes == 0 { result.memoryBytes = assumedMemoryBytes }
        }
        return result
    }

    private static func hostPorts(_ spec: JSON) -> [HostPort] {
        (spec["containers"]?.elements ?? []).flatMap { container in
            (container["ports"]?.elements ?? []).compactMap { entry in
                guard let port = entry["hostPort"]?.intValue, port > 0 else { return nil }
                let address = entry["hostIP"]?.stringValue ?? ""
                return HostPort(
                    address: address.isEmpty ? "0.0.0.0" : address,
                    transport: entry["protocol"]?.stringValue ?? "TCP", port: port)
            }
        }
    }
}
