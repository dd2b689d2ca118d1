import Documents
import Basics
import Informers
import Objects

extension TestCluster {
    /// Gives every pod a node and lets it run; ready unless its image says otherwise.
    mutating func runKubelet(
        in namespace: String = "default", limit: Int = .max, node: String = "node-1",
        readyUnless broken: String = "broken"
    ) {
        var done = 0
        for pod in all(.pod, in: namespace) where done < limit {
            if pod.isBeingDeleted {
                delete(.pod, pod.name, in: namespace, nil, grace: 0)
                done += 1
            } else if pod.status["phase"]?.stringValue == "Pending" {
                var changed = pod
                if (pod.spec["nodeName"]?.stringValue ?? "").isEmpty {
                    changed.json.set(.string(node), at: "spec", "nodeName")
                }
                let image = pod.spec["containers"]?[0]?["image"]?.stringValue ?? ""
                changed.json.set("Running", at: "status", "phase")
                changed.json.set(
                    [
                        [
                            "type": "Ready", "status": image == broken ? "False" : "True",
                            "lastTransitionTime": .string(now.rfc3339),
                        ]
                    ], at: "status", "conditions")
                put(changed)
                done += 1
            }
        }
    }

    /// Controllers and kubelet in turn until neither has anything to do.
    mutating func converge(roundsMax: Int = 200) {
        for _ in 0..<roundsMax {
            settle()
            let before = engine.revision
            runKubelet()
            settle()
            if engine.revision == before { return }
        }
    }
}
