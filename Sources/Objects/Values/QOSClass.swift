package import Documents

/// The quality-of-service class of a pod, from the cpu and memory of its containers.
package enum QOSClass {
    private static let resources = ["cpu", "memory"]

    package static func of(_ pod: JSON) -> String {
        let spec = pod["spec"]
        let containers =
            (spec?["containers"]?.elements ?? []) + (spec?["initContainers"]?.elements ?? [])
        var isBestEffort = true
        var isGuaranteed = true
        for container in containers {
            for resource in resources {
                let request = amount(container, "requests", resource)
                let limit = amount(container, "limits", resource)
                if request != nil || limit != nil { isBestEffort = false }
                if limit == nil || (request ?? limit) != limit { isGuaranteed = false }
            }
        }
        if isBestEffort { return "BestEffort" }
        return isGuaranteed ? "Guaranteed" : "Burstable"
    }

    private static func amount(_ container: JSON, _ key: String, _ resource: String) -> Quantity? {
        let quantity = Quantity(container.path("resources", key, resource))
        return quantity.flatMap { $0.isZero ? nil : $0 }
    }
}
