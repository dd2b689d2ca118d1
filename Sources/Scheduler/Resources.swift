import Documents
import Objects

/// Amounts of compute resources: a pod's requests, or what a node has.
struct Resources: Sendable, Hashable {
    var milliCPU: Int64 = 0
    var memoryBytes: Int64 = 0
    var ephemeralBytes: Int64 = 0
    /// Extended resources by name, in order of the names, without zeros.
    var extended: [Amount] = []

    struct Amount: Sendable, Hashable {
        var name: String
        var value: Int64
    }

    init() {}

    /// From a map of quantities; what does not parse counts as 0.
    init(_ quantities: JSON?) {
        for member in quantities?.objectValue ?? JSONObject() {
            guard let quantity = Quantity(member.value) else { continue }
            switch member.key {
            case "cpu": milliCPU = quantity.milliValue
            case "memory": memoryBytes = quantity.value
            case "ephemeral-storage": ephemeralBytes = quantity.value
            case "pods": break
            default: add(Amount(name: member.key, value: quantity.value))
            }
        }
    }

    private mutating func add(_ amount: Amount) {
        guard amount.value != 0 else { return }
        if let index = extended.firstIndex(where: { $0.name >= amount.name }) {
            if extended[index].name == amount.name {
                extended[index].value += amount.value
                if extended[index].value == 0 { extended.remove(at: index) }
            } else {
                extended.insert(amount, at: index)
            }
        } else {
            extended.append(amount)
        }
    }

    func amount(_ name: String) -> Int64 {
        extended.first { $0.name == name }?.value ?? 0
    }

    static func += (left: inout Resources, right: Resources) {
        left.milliCPU += right.milliCPU
        left.memoryBytes += right.memoryBytes
        left.ephemeralBytes += right.ephemeralBytes
        for amount in right.extended { left.add(amount) }
    }

    static func -= (left: inout Resources, right: Resources) {
        left.milliCPU -= right.milliCPU
        left.memoryBytes -= right.memoryBytes
        left.ephemeralBytes -= right.ephemeralBytes
        for amount in right.extended {
            left.add(Amount(name: amount.name, value: -amount.value))
        }
    }

    /// Each resource at its larger amount.
    mutating func formMaximum(with other: Resources) {
        milliCPU = max(milliCPU, other.milliCPU)
        memoryBytes = max(memoryBytes, other.memoryBytes)
        ephemeralBytes = max(ephemeralBytes, other.ephemeralBytes)
        for amount in other.extended where amount.value > self.amount(amount.name) {
            add(Amount(name: amount.name, value: amount.value - self.amount(amount.name)))
        }
    }
}
