import Documents
import Objects

/// How far a rollout may go above and below the replicas asked for.
struct DeploymentLimits: Sendable, Hashable {
    var replicas: Int64
    var isRolling: Bool
    /// Both are 0 unless the strategy is RollingUpdate.
    var maxSurge: Int64
    var maxUnavailable: Int64

    init(_ deployment: Object) {
        let spec = deployment.spec
        replicas = spec["replicas"]?.intValue ?? 1
        isRolling = (spec.path("strategy", "type")?.stringValue ?? "RollingUpdate") != "Recreate"
        guard isRolling else {
            maxSurge = 0
            maxUnavailable = 0
            return
        }
        let rolling = spec.path("strategy", "rollingUpdate")
        maxSurge = Self.scaled(rolling?["maxSurge"] ?? "25%", of: replicas, roundingUp: true)
        maxUnavailable = Self.scaled(
            rolling?["maxUnavailable"] ?? "25%", of: replicas, roundingUp: false)
        // Both 0 would never move: rounding down must not stop what validation let through.
        if maxSurge == 0, maxUnavailable == 0 { maxUnavailable = 1 }
        maxUnavailable = min(maxUnavailable, replicas)
    }

    var minAvailable: Int64 { isRolling ? replicas - maxUnavailable : 0 }
    var maxTotal: Int64 { replicas + maxSurge }

    /// A count, or a percentage of `total`; what does not parse counts as 0.
    private static func scaled(_ value: JSON, of total: Int64, roundingUp: Bool) -> Int64 {
        if let count = value.intValue { return max(0, count) }
        guard let text = value.stringValue, text.hasSuffix("%"),
            let percent = Int64(text.dropLast()), percent >= 0, percent <= 1_000_000
        else { return 0 }
        let product = total * percent
        return roundingUp ? (product + 99) / 100 : product / 100
    }
}
