package import Documents

/// The documents by which clients learn what the server has; all are pure functions of the kinds.
package enum Discovery {
    /// A group and version with the kinds that it serves.
    package struct GroupVersion: Sendable, Hashable {
        package let group: String
        package let version: String
        package let kinds: [ResourceKind]

        /// `v1` or `apps/v1`.
        package var name: String { group.isEmpty ? version : "\(group)/\(version)" }
        /// `api/v1` or `apis/apps/v1`.
        package var path: String { (group.isEmpty ? "api/" : "apis/") + name }
    }

    /// The core group first, the others in the order of the kinds.
    package static let groupVersions: [GroupVersion] = {
        var names: [(String, String)] = [("", "v1")]
        for kind in Kinds.all
        where !names.contains(where: { $0 == (kind.group, kind.version) }) {
            names.append((kind.group, kind.version))
        }
        return names.map { group, version in
            GroupVersion(
                group: group, version: version,
                kinds: Kinds.all.filter { $0.group == group && $0.version == version }
                    .sorted { $0.plural < $1.plural })
        }
    }()

    private static var namedGroups: [GroupVersion] { groupVersions.filter { !$0.group.isEmpty } }

    // MARK: - One document per path

    /// `/api`
    package static func apiVersions(serverAddress: String) -> JSON {
        [
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [
                ["clientCIDR": "0.0.0.0/0", "serverAddress": .string(serverAddress)]
            ],
        ]
    }

    /// `/apis`
    package static var groupList: JSON {
        [
            "kind": "APIGroupList", "apiVersion": "v1",
            "groups": .array(namedGroups.map { groupJSON($0) }),
        ]
    }

    /// `/apis/GROUP`; nil for a group that is not served.
    package static func group(_ name: String) -> JSON? {
        guard let found = namedGroups.first(where: { $0.group == name }) else { return nil }
        var json: JSON = ["kind": "APIGroup", "apiVersion": "v1"]
        for member in groupJSON(found).objectValue ?? JSONObject() {
            json[member.key] = member.value
        }
        return json
    }

    private static func groupJSON(_ group: GroupVersion) -> JSON {
        let version: JSON = [
            "groupVersion": .string(group.name), "version": .string(group.version),
        ]
        return [
            "name": .string(group.group), "versions": [version], "preferredVersion": version,
        ]
    }

    /// `/api/v1` and `/apis/GROUP/VERSION`
    package static func resourceList(_ groupVersion: GroupVersion) -> JSON {
        var resources: [JSON] = []
        if groupVersion.group.isEmpty {
            resources.append([
                "name": "bindings", "singularName": "binding", "namespaced": true,
                "kind": "Binding", "verbs": ["create"],
            ])
        }
        for kind in groupVersion.kinds {
            var resource: JSON = [
                "name": .string(kind.plural), "singularName": .string(kind.singular),
                "namespaced": .bool(kind.isNamespaced), "kind": .string(kind.kind),
                "verbs": strings(kind.verbs),
            ]
            if !kind.shortNames.isEmpty { resource["shortNames"] = strings(kind.shortNames) }
            if !kind.categories.isEmpty { resource["categories"] = strings(kind.categories) }
            resource["storageVersionHash"] = .string(storageVersionHash(kind))
            resources.append(resource)
            for part in kind.subresources {
                resources.append(subresourceJSON(kind, part))
            }
        }
        return [
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": .string(groupVersion.name), "resources": .array(resources),
        ]
    }

    private static func subresourceJSON(_ kind: ResourceKind, _ part: Subresource) -> JSON {
        let shown = responseKind(kind, part)
        var json: JSON = [
            "name": .string("\(kind.plural)/\(part.rawValue)"), "singularName": "",
            "namespaced": .bool(kind.isNamespaced),
        ]
        if shown.group != kind.group {
            json["group"] = .string(shown.group)
            json["version"] = .string(shown.version)
        }
        json["kind"] = .string(shown.kind)
        json["verbs"] = strings(verbs(of: part))
        return json
    }

    // MARK: - Aggregated

    /// `/api` (the core group) and `/apis` (all others) in one document each.
    package static func aggregated(core: Bool) -> JSON {
        let items = groupVersions.filter { $0.group.isEmpty == core }.map { groupVersion in
            let version: JSON = [
                "version": .string(groupVersion.version),
                "resources": .array(groupVersion.kinds.map(aggregatedResource)),
                "freshness": "Current",
            ]
            return [
                "metadata": ["name": .string(groupVersion.group), "creationTimestamp": .null],
                "versions": [version],
            ] as JSON
        }
        return [
            "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
            "metadata": [:], "items": .array(items),
        ]
    }

    private static func aggregatedResource(_ kind: ResourceKind) -> JSON {
        var json: JSON = [
            "resource": .string(kind.plural),
            "responseKind": kindJSON(kind.group, kind.version, kind.kind),
            "scope": .string(kind.isNamespaced ? "Namespaced" : "Cluster"),
            "singularResource": .string(kind.singular), "verbs": strings(kind.verbs),
        ]
        if !kind.shortNames.isEmpty { json["shortNames"] = strings(kind.shortNames) }
        if !kind.categories.isEmpty { json["categories"] = strings(kind.categories) }
        if !kind.subresources.isEmpty {
            json["subresources"] = .array(
                kind.subresources.map { part in
                    let shown = responseKind(kind, part)
                    return [
                        "subresource": .string(part.rawValue),
                        "responseKind": kindJSON(shown.group, shown.version, shown.kind),
                        "verbs": strings(verbs(of: part)),
                    ]
                })
        }
        return json
    }

    // MARK: - Facts

    package static func verbs(of part: Subresource) -> [String] {
        switch part {
        case .binding, .eviction: ["create"]
        case .log: ["get"]
        case .finalize: ["update"]
        default: ["get", "patch", "update"]
        }
    }

    private static func responseKind(
        _ kind: ResourceKind, _ part: Subresource
    ) -> (group: String, version: String, kind: String) {
        switch part {
        case .scale: ("autoscaling", "v1", "Scale")
        case .binding: ("", "v1", "Binding")
        case .eviction: ("policy", "v1", "Eviction")
        default: (kind.group, kind.version, kind.kind)
        }
    }

    static func kindJSON(_ group: String, _ version: String, _ kind: String) -> JSON {
        ["group": .string(group), "version": .string(version), "kind": .string(kind)]
    }

    private static func strings(_ values: [String]) -> JSON { .array(values.map(JSON.string)) }

    /// Opaque to clients: it changes when the stored form does.
    private static func storageVersionHash(_ kind: ResourceKind) -> String {
        let text = "\(kind.group)/\(kind.version)/\(kind.kind)"
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Base64.encode((0..<8).map { UInt8(truncatingIfNeeded: hash >> (56 - 8 * $0)) })
    }
}
