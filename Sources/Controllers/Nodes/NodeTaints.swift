import Documents
import Basics
import Objects

/// The taints of a node as they are changed; order and foreign taints stay.
struct NodeTaints {
    private var taints: [JSON]

    init(_ node: Object) {
        taints = node.spec["taints"]?.elements ?? []
    }

    func has(_ key: String, _ effect: String) -> Bool {
        index(key, effect) != nil
    }

    mutating func set(_ key: String, _ effect: String, _ isSet: Bool, now: WallTime) {
        let index = index(key, effect)
        if isSet, index == nil {
            taints.append([
                "key": .string(key), "effect": .string(effect),
                "timeAdded": .string(now.rfc3339),
            ])
        } else if !isSet, let index {
            taints.remove(at: index)
        }
    }

    func write(to node: inout Object) {
        guard taints != node.spec["taints"]?.elements ?? [] else { return }
        node.json.set(taints.isEmpty ? nil : .array(taints), at: "spec", "taints")
    }

    private func index(_ key: String, _ effect: String) -> Int? {
        taints.firstIndex {
            $0["key"]?.stringValue == key && $0["effect"]?.stringValue == effect
        }
    }
}
