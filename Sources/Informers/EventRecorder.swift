import Documents
package import Basics
package import Objects

/// Turns records into Event objects; the same record again raises the count of the one before.
///
/// Pure: what it has written it remembers, up to a limit, so nothing is read back.
package struct EventRecorder: Sendable {
    /// Remembered events; the older half is forgotten when there are more.
    package static let rememberedMax = 4096
    /// A repeat after this long is an event of its own.
    package static let repeatSecondsMax: Int64 = 600

    private struct Key: Hashable {
        var component: String
        var record: EventRecord
    }
    private struct Known {
        var name: String
        var count: Int64
        var first: WallTime
        var last: WallTime
        var order: UInt64
    }

    private var known: [Key: Known] = [:]
    private var order: UInt64 = 0

    package init() {}

    /// The Event object to put for a record; `suffix` makes a new one's name its own.
    package mutating func event(
        for record: EventRecord, component: String, now: WallTime, suffix: String, uid: String
    ) -> Object {
        var normalized = record
        normalized.revision = 0
        let key = Key(component: component, record: normalized)
        order += 1
        var state =
            known[key]
            ?? Known(
                name: record.regarding.name + "." + suffix, count: 0, first: now, last: now,
                order: order)
        if now.seconds - state.last.seconds > Self.repeatSecondsMax {
            state = Known(
                name: record.regarding.name + "." + suffix, count: 0, first: now, last: now,
                order: order)
        }
        state.count += 1
        state.last = now
        state.order = order
        known[key] = state
        if known.count > Self.rememberedMax {
            let cut = order - UInt64(Self.rememberedMax / 2)
            known = known.filter { $0.value.order > cut }
        }
        return object(record, component, state, uid)
    }

    private func object(
        _ record: EventRecord, _ component: String, _ state: Known, _ uid: String
    ) -> Object {
        var involved: JSON = [
            "kind": .string(record.regarding.kind.kind),
            "name": .string(record.regarding.name),
            "uid": .string(record.uid),
            "apiVersion": .string(record.regarding.kind.apiVersion),
        ]
        if !record.regarding.namespace.isEmpty {
            involved["namespace"] = .string(record.regarding.namespace)
        }
        if record.revision > 0 { involved["resourceVersion"] = .string(String(record.revision)) }
        return Object(
            kind: .event,
            json: [
                "kind": "Event",
                "apiVersion": "v1",
                "metadata": [
                    "name": .string(state.name),
                    "namespace": .string(record.namespace),
                    "uid": .string(uid),
                    "creationTimestamp": .string(state.first.rfc3339),
                ],
                "involvedObject": involved,
                "reason": .string(record.reason),
                "message": .string(record.message),
                "source": ["component": .string(component)],
                "firstTimestamp": .string(state.first.rfc3339),
                "lastTimestamp": .string(state.last.rfc3339),
                "count": .integer(state.count),
                "type": .string(record.kind.rawValue),
                "eventTime": .null,
                "reportingComponent": .string(component),
                "reportingInstance": "",
            ])
    }
}
