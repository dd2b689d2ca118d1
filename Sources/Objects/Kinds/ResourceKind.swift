package import Basics
package import Keyspace

/// One kind of API object as discovery shows it, and where the store keeps it.
///
/// Kinds are singletons: identity is equality.
package final class ResourceKind: Sendable, Hashable {
    /// Empty for the core group.
    package let group: String
    package let version: String
    package let kind: String
    package let plural: String
    package let singular: String
    package let shortNames: [String]
    package let categories: [String]
    package let isNamespaced: Bool
    package let verbs: [String]
    /// Subresources that are served, by name.
    package let subresources: [Subresource]
    /// Between `/registry/` and the namespace or name.
    package let storagePath: String
    /// The message of the schema tables, such as `api.core.v1.Pod`.
    package let message: String

    package static let allVerbs = [
        "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
    ]

    init(
        group: String, version: String, kind: String, plural: String, shortNames: [String] = [],
        categories: [String] = [], isNamespaced: Bool = true, verbs: [String] = allVerbs,
        subresources: [Subresource] = [], storagePath: String? = nil
    ) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
        self.singular = kind.lowercased()
        self.shortNames = shortNames
        self.categories = categories
        self.isNamespaced = isNamespaced
        self.verbs = verbs
        self.subresources = subresources
        self.storagePath = storagePath ?? plural
        let package =
            group.isEmpty ? "core" : String(group.prefix { $0 != "." })
        message = "api.\(package).\(version).\(kind)"
        prefixBytes = Bytes("/registry/\(self.storagePath)/".utf8)
    }

    private let prefixBytes: Bytes

    /// `v1` or `apps/v1`.
    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    package var listKind: String { kind + "List" }
    /// `pods` or `deployments.apps`, as errors name resources.
    package var qualifiedPlural: String { group.isEmpty ? plural : "\(plural).\(group)" }
    /// `Pod` or `Deployment.apps`, as validation errors name kinds.
    package var qualifiedKind: String { group.isEmpty ? kind : "\(kind).\(group)" }

    /// A PUT of an object that is not there creates it.
    package var createsOnUpdate: Bool { self == .lease || self == .event || self == .service }

    /// A PUT without resource version overwrites whatever is there.
    package var allowsUnconditionalUpdate: Bool { self != .lease }

    package func hasSubresource(_ subresource: Subresource) -> Bool {
        subresources.contains(subresource)
    }

    /// The store's key of an object; `namespace` is ignored where the kind has none.
    package func key(namespace: String, name: String) -> Bytes {
        var key = prefixBytes
        if isNamespaced {
            key.append(contentsOf: namespace.utf8)
            key.append(UInt8(ascii: "/"))
        }
        key.append(contentsOf: name.utf8)
        return key
    }

    /// Keys of the kind, in one namespace or (nil) in all.
    package func prefix(namespace: String? = nil) -> KeyRange {
        guard isNamespaced, let namespace, !namespace.isEmpty else { return .prefix(prefixBytes) }
        return .prefix(key(namespace: namespace, name: ""))
    }

    /// What a key of the store names; nil for keys that hold no object of a known kind. The
    /// namespace is empty for kinds without.
    package static func parse(
        key: Bytes
    ) -> (kind: ResourceKind, namespace: String, name: String)? {
        for kind in Kinds.all where key.hasPrefix(kind.prefixBytes) {
            let rest = key[kind.prefixBytes.count...]
            let parts = rest.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            let texts = parts.compactMap { String(validating: $0, as: UTF8.self) }
            guard texts.count == parts.count, texts.count == (kind.isNamespaced ? 2 : 1),
                !texts.contains("")
            else { continue }
            return (kind, kind.isNamespaced ? texts[0] : "", texts[texts.count - 1])
        }
        return nil
    }

    package static func == (left: ResourceKind, right: ResourceKind) -> Bool { left === right }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension ResourceKind: CustomStringConvertible {
    package var description: String { qualifiedKind }
}
