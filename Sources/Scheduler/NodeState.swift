import Documents
import Informers
import Objects

/// A node as the scheduler sees it: what it offers, and what its pods take.
struct NodeState: Sendable {
    let name: String
    /// False for a node that only pods speak of.
    private(set) var exists = false
    private(set) var labels: [String: String] = [:]
    private(set) var isUnschedulable = false
    /// Taints that keep pods away.
    private(set) var hardTaints: [JSON] = []
    /// Taints that pods had better avoid.
    private(set) var softTaints: [JSON] = []
    private(set) var allocatable = Resources()
    private(set) var podsMax: Int64 = 0
    private(set) var load = Load()

    /// What the pods of the node take together.
    struct Load: Sendable {
        var requested = Resources()
        var scored = Resources()
        var pods: Int64 = 0
        var ports: [PodNeeds.HostPort] = []
        /// Pods by the uid of their controller.
        var byOwner: [String: Int64] = [:]

        mutating func add(_ needs: PodNeeds) {
            requested += needs.requests
            scored += needs.scored
            pods += 1
            ports += needs.hostPorts
            if let owner = needs.ownerUID { byOwner[owner, default: 0] += 1 }
        }

        mutating func remove(_ needs: PodNeeds) {
            requested -= needs.requests
            scored -= needs.scored
            pods -= 1
            for port in needs.hostPorts {
                if let index = ports.firstIndex(of: port) { ports.remove(at: index) }
            }
            if let owner = needs.ownerUID {
                let count = (byOwner[owner] ?? 1) - 1
                byOwner[owner] = count > 0 ? count : nil
            }
        }
    }

    init(name: String) {
        self.name = name
    }

    mutating func update(_ node: Object?) {
        guard let node else {
            exists = false
            return
        }
        exists = true
        labels = node.labels
        isUnschedulable = node.spec["unschedulable"]?.boolValue ?? false
        let taints = node.spec["taints"]?.elements ?? []
        hardTaints = taints.filter {
            $0["effect"]?.stringValue == "NoSchedule" || $0["effect"]?.stringValue == "NoExecute"
        }
        softTaints = taints.filter { $0["effect"]?.stringValue == "PreferNoSchedule" }
        let quantities = node.status["allocatable"] ?? node.status["capacity"]
        allocatable = Resources(quantities)
        podsMax = Quantity(quantities?["pods"])?.value ?? 0
    }

    mutating func add(_ needs: PodNeeds) { load.add(needs) }
    mutating func remove(_ needs: PodNeeds) { load.remove(needs) }

    /// Whether anything that could let a pod in changed between two states of a Node object.
    static func differs(_ old: Object?, _ new: Object?) -> Bool {
        guard let old, let new else { return true }
        return old.spec != new.spec
            || old.json.path("metadata", "labels") != new.json.path("metadata", "labels")
            || old.status["allocatable"] != new.status["allocatable"]
            || old.status["capacity"] != new.status["capacity"]
    }
}
