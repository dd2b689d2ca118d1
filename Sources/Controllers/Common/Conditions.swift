import Documents
import Basics
import Objects

/// Access to `status.conditions` of any kind.
struct Condition: Sendable, Hashable {
    var type: String
    var status: String
    var reason: String
    var message: String
}

extension JSON {
    /// The condition of this type in a status.
    func condition(_ type: String) -> JSON? {
        self["conditions"]?.elements.first { $0["type"]?.stringValue == type }
    }

    func conditionIsTrue(_ type: String) -> Bool {
        condition(type)?["status"]?.stringValue == "True"
    }

    /// Puts `entry` in the place of the condition of the same type, or at the end.
    mutating func setCondition(_ entry: JSON) {
        var list = self["conditions"]?.elements ?? []
        if let index = list.firstIndex(where: { $0["type"] == entry["type"] }) {
            list[index] = entry
        } else {
            list.append(entry)
        }
        self["conditions"] = .array(list)
    }

    /// Sets a condition; the transition time moves only with the status.
    mutating func setCondition(_ condition: Condition, now: WallTime, updateTime: Bool = false) {
        let old = self.condition(condition.type)
        var entry: JSON = [
            "type": .string(condition.type), "status": .string(condition.status),
        ]
        if updateTime { entry["lastUpdateTime"] = .string(now.rfc3339) }
        var transition: JSON = .string(now.rfc3339)
        if let old, old["status"]?.stringValue == condition.status,
            let kept = old["lastTransitionTime"]
        {
            transition = kept
        }
        entry["lastTransitionTime"] = transition
        entry["reason"] = .string(condition.reason)
        entry["message"] = .string(condition.message)
        setCondition(entry)
    }

    mutating func removeCondition(_ type: String) {
        guard let list = self["conditions"]?.arrayValue else { return }
        let rest = list.filter { $0["type"]?.stringValue != type }
        self["conditions"] = rest.isEmpty ? nil : .array(rest)
    }

    /// Sets a count that Go leaves out of the JSON when it is 0.
    mutating func setCount(_ key: String, _ value: Int64) {
        self[key] = value == 0 ? nil : .integer(value)
    }

    func count(_ key: String) -> Int64 {
        self[key]?.intValue ?? 0
    }

    func time(_ key: String) -> WallTime? {
        self[key]?.stringValue.flatMap(WallTime.init(rfc3339:))
    }
}
