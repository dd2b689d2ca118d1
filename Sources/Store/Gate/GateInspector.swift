package import Basics
package import Keyspace

/// What the gate must know of stored objects. Objects are above the store, so this comes from
/// above. All of it is called on the store's threads and must not block.
package protocol GateInspector: Sendable {
    /// The pod under this key if it is bound to the node; nil for anything else.
    func boundPod(_ keyValue: KeyValue, node: String) -> GatedPod?
    /// Whether `new` is the object `old` but for its status.
    func changesOnlyStatus(from old: Bytes, to new: Bytes) -> Bool
    /// The node whose agent reports this event; nil for anything that is not an event.
    func eventHost(_ value: Bytes) -> String?
}

/// What matters of a pod to the gate.
package struct GatedPod: Sendable, Hashable {
    package var isTerminating: Bool
    /// Names of what it may need, in its own namespace.
    package var configMaps: [String]
    package var secrets: [String]

    package init(isTerminating: Bool, configMaps: [String], secrets: [String]) {
        self.isTerminating = isTerminating
        self.configMaps = configMaps
        self.secrets = secrets
    }
}
