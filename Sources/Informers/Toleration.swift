package import Documents
import Objects

/// The match of a toleration with a taint.
package enum Toleration {
    package static func tolerates(_ toleration: JSON, _ taint: JSON) -> Bool {
        let effect = toleration["effect"]?.stringValue ?? ""
        if !effect.isEmpty, effect != taint["effect"]?.stringValue { return false }
        let key = toleration["key"]?.stringValue ?? ""
        if !key.isEmpty, key != taint["key"]?.stringValue { return false }
        switch toleration["operator"]?.stringValue ?? "" {
        case "Exists": return true
        case "", "Equal":
            return !key.isEmpty
                && (toleration["value"]?.stringValue ?? "") == (taint["value"]?.stringValue ?? "")
        default: return false
        }
    }

    /// Whether one of the tolerations covers the taint.
    package static func isTolerated(_ taint: JSON, by tolerations: [JSON]) -> Bool {
        tolerations.contains { tolerates($0, taint) }
    }
}
