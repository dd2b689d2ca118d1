/// Why no node took a pod, summed up as upstream words it.
struct Diagnosis {
    private var counts: [String: Int] = [:]
    private var nodes = 0
    private var final = 0

    mutating func add(_ refusal: Refusal) {
        nodes += 1
        if refusal.isFinal { final += 1 }
        for reason in refusal.reasons { counts[reason, default: 0] += 1 }
    }

    var message: String {
        guard nodes > 0 else { return "no nodes available to schedule pods" }
        let reasons = counts.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        var preemption: [String] = []
        if nodes > final {
            preemption.append("\(nodes - final) No preemption victims found for incoming pod")
        }
        if final > 0 {
            preemption.append("\(final) Preemption is not helpful for scheduling")
        }
        return "0/\(nodes) nodes are available: \(reasons). no new claims to deallocate, "
            + "preemption: 0/\(nodes) nodes are available: "
            + preemption.sorted().joined(separator: ", ") + "."
    }
}
