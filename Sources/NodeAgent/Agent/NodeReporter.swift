import Documents
import Basics
import Objects
import Store

/// Registers the node, keeps its status and renews its Lease.
struct NodeReporter: Sendable {
    static let leaseSeconds: Int64 = 40
    static let renewMilliseconds: UInt64 = 10_000
    /// An unchanged status is written this often, as upstream.
    static let statusMilliseconds: UInt64 = 300_000
    static let podsMax: Int64 = 110
    static let kubeletVersion = "v1.36.1+martlet"

    let access: ObjectAccess
    let nodeName: String
    let facts: HostFacts
    let runtimeVersion: String
    let labels: [(String, String)]

    func run() async {
        var lastStatus: MonotonicTime?
        while !Task.isCancelled {
            let now = MonotonicTime.now()
            var isStale = true
            if let lastStatus {
                isStale = now.milliseconds(since: lastStatus) >= Self.statusMilliseconds
            }
            let isReported = await report(isStale: isStale)
            if isReported, isStale { lastStatus = now }
            let isRenewed = await renew()
            let pause = isReported && isRenewed ? Self.renewMilliseconds : 500
            try? await Task.sleep(for: .milliseconds(pause))
        }
    }

    /// Writes the node if it is missing, not Ready or stale; false if the store did not take it.
    private func report(isStale: Bool) async -> Bool {
        let key = ResourceKind.node.key(namespace: "", name: nodeName)
        var found: Object?
        do {
            found = try await access.get(key)
        } catch {
            return false
        }
        for _ in 0..<5 {
            let wall = WallTime.now()
            var node: Object
            if let present = found {
                node = present
                let isReady = (node.status["conditions"]?.elements ?? []).contains {
                    $0["type"] == "Ready" && $0["status"] == "True"
                }
                guard isStale || !isReady else { return true }
                for (key, value) in allLabels where node.label(key) != value {
                    node.setLabel(key, value)
                }
            } else {
                guard let fresh = fresh(wall) else { return false }
                node = fresh
            }
            node.status = status(node.status, wall)
            switch await access.put(node) {
            case .written: return true
            case .conflict(let other): found = other
            case .failed: return false
            }
        }
        return false
    }

    private var allLabels: [(String, String)] {
        [
            ("kubernetes.io/hostname", nodeName), ("kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", facts.architecture), ("beta.kubernetes.io/os", "linux"),
            ("beta.kubernetes.io/arch", facts.architecture),
        ] + labels
    }

    private func fresh(_ wall: WallTime) -> Object? {
        var labels = JSONObject()
        for (key, value) in allLabels { labels[key] = .string(value) }
        let json: JSON = [
            "apiVersion": "v1", "kind": "Node",
            "metadata": ["name": .string(nodeName), "labels": .object(labels)], "spec": [:],
        ]
        var random = SystemRandomNumberGenerator()
        let prepared = try? Strategy.prepareCreate(
            .node, json, namespace: "", now: wall, uid: Names.uid(using: &random), nameSuffix: "")
        return prepared.map { Object(kind: .node, json: $0) }
    }

    private func status(_ stored: JSON, _ wall: WallTime) -> JSON {
        var status = stored
        let resources: JSON = [
            "cpu": .string(String(facts.processors)),
            "ephemeral-storage": .string("\(facts.diskBytes / 1024)Ki"),
            "memory": .string("\(facts.memoryBytes / 1024)Ki"),
            "pods": .string(String(Self.podsMax)),
        ]
        status["capacity"] = resources
        status["allocatable"] = resources
        status["addresses"] = [
            ["type": "InternalIP", "address": .string(facts.hostIP)],
            ["type": "Hostname", "address": .string(nodeName)],
        ]
        status["nodeInfo"] = [
            "machineID": .string(facts.machineID), "systemUUID": .string(facts.systemUUID),
            "bootID": .string(facts.bootID), "kernelVersion": .string(facts.kernel),
            "osImage": .string(facts.osImage),
            "containerRuntimeVersion": .string(runtimeVersion),
            "kubeletVersion": .string(Self.kubeletVersion), "kubeProxyVersion": "",
            "operatingSystem": "linux", "architecture": .string(facts.architecture),
        ]
        status["conditions"] = .array(conditions(stored["conditions"]?.elements ?? [], wall))
        return status
    }

    private func conditions(_ old: [JSON], _ wall: WallTime) -> [JSON] {
        let own: [(type: String, status: String, reason: String, message: String)] = [
            (
                "MemoryPressure", "False", "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available"
            ),
            ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            (
                "PIDPressure", "False", "KubeletHasSufficientPID",
                "kubelet has sufficient PID available"
            ),
            ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ]
        var result = old.filter { condition in
            !own.contains { $0.type == condition["type"]?.stringValue }
        }
        for condition in own {
            let before = old.first { $0["type"]?.stringValue == condition.type }
            let isSame = before?["status"]?.stringValue == condition.status
            let changed = isSame ? before?["lastTransitionTime"] : nil
            result.append([
                "type": .string(condition.type), "status": .string(condition.status),
                "lastHeartbeatTime": .string(wall.rfc3339),
                "lastTransitionTime": changed ?? .string(wall.rfc3339),
                "reason": .string(condition.reason), "message": .string(condition.message),
            ])
        }
        return result
    }

    private func renew() async -> Bool {
        let key = ResourceKind.lease.key(namespace: "kube-node-lease", name: nodeName)
        for _ in 0..<3 {
            var lease: Object
            do {
                lease = try await access.get(key) ?? freshLease()
            } catch {
                return false
            }
            lease.json.set(.string(nodeName), at: "spec", "holderIdentity")
            lease.json.set(.integer(Self.leaseSeconds), at: "spec", "leaseDurationSeconds")
            lease.json.set(.string(WallTime.now().rfc3339Micro), at: "spec", "renewTime")
            switch await access.put(lease) {
            case .written: return true
            case .conflict: continue
            case .failed: return false
            }
        }
        return false
    }

    private func freshLease() -> Object {
        var random = SystemRandomNumberGenerator()
        return Object(
            kind: .lease,
            json: [
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": [
                    "name": .string(nodeName), "namespace": "kube-node-lease",
                    "uid": .string(Names.uid(using: &random)),
                    "creationTimestamp": .string(WallTime.now().rfc3339),
                ],
                "spec": [:],
            ])
    }
}
