import Basics
import Keyspace

/// Where a key lies, seen from one node's agent.
enum NodePlace: Hashable {
    case node
    case lease
    case pod
    case event
    case secret(namespace: String, name: String)
    case configMap(namespace: String, name: String)
    /// Nothing that an agent has to do with.
    case elsewhere

    static let pods = Bytes("/registry/pods/".utf8)
    private static let events = Bytes("/registry/events/".utf8)
    private static let secrets = Bytes("/registry/secrets/".utf8)
    private static let configMaps = Bytes("/registry/configmaps/".utf8)

    init(_ key: Bytes, node: String) {
        if key == Bytes("/registry/minions/\(node)".utf8) {
            self = .node
        } else if key == Bytes("/registry/leases/kube-node-lease/\(node)".utf8) {
            self = .lease
        } else if Self.names(key, under: Self.pods) != nil {
            self = .pod
        } else if Self.names(key, under: Self.events) != nil {
            self = .event
        } else if let (namespace, name) = Self.names(key, under: Self.secrets) {
            self = .secret(namespace: namespace, name: name)
        } else if let (namespace, name) = Self.names(key, under: Self.configMaps) {
            self = .configMap(namespace: namespace, name: name)
        } else {
            self = .elsewhere
        }
    }

    /// Whether every key of the range is a pod's.
    static func isPods(_ range: KeyRange) -> Bool {
        guard range.start.hasPrefix(pods) else { return false }
        switch range.end {
        case .single: return names(range.start, under: pods) != nil
        case .unbounded: return false
        case .before(let bound):
            guard case .before(let last) = KeyRange.prefix(pods).end else { return false }
            return !isOrderedBefore(last, bound)
        }
    }

    private static func names(_ key: Bytes, under prefix: Bytes) -> (String, String)? {
        guard key.hasPrefix(prefix) else { return nil }
        let parts = key[prefix.count...].split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
            let namespace = String(validating: parts[0], as: UTF8.self),
            let name = String(validating: parts[1], as: UTF8.self)
        else { return nil }
        return (namespace, name)
    }
}
