package import Documents

/// OpenAPI v3 documents made from the schema tables, one for each group and version: what
/// `kubectl explain`, `apply` and `diff` need to know of the kinds.
package struct OpenAPI {
    package static let versionText = "v1.36.0"

    private let groupVersion: Discovery.GroupVersion
    private let kindsByMessage: [String: (group: String, version: String, kind: String)]

    package init(_ groupVersion: Discovery.GroupVersion) {
        self.groupVersion = groupVersion
        var kinds: [String: (group: String, version: String, kind: String)] = [:]
        for kind in groupVersion.kinds {
            kinds[kind.message] = (kind.group, kind.version, kind.kind)
            kinds[kind.message + "List"] = (kind.group, kind.version, kind.listKind)
        }
        kinds["api.autoscaling.v1.Scale"] = ("autoscaling", "v1", "Scale")
        kinds["api.core.v1.Binding"] = ("", "v1", "Binding")
        kinds[Self.deleteOptions] = (groupVersion.group, groupVersion.version, "DeleteOptions")
        kinds[Self.status] = ("", "v1", "Status")
        kindsByMessage = kinds
    }

    static let deleteOptions = "apimachinery.pkg.apis.meta.v1.DeleteOptions"
    static let status = "apimachinery.pkg.apis.meta.v1.Status"
    private static let leaves: [(type: SchemaType, name: String, schema: JSON)] = [
        (
            .quantity, "apimachinery.pkg.api.resource.Quantity",
            ["oneOf": [["type": "string"], ["type": "number"]]]
        ),
        (.time, "apimachinery.pkg.apis.meta.v1.Time", ["type": "string", "format": "date-time"]),
        (
            .microTime, "apimachinery.pkg.apis.meta.v1.MicroTime",
            ["type": "string", "format": "date-time"]
        ),
        (
            .intOrString, "apimachinery.pkg.util.intstr.IntOrString",
            ["format": "int-or-string", "oneOf": [["type": "integer"], ["type": "string"]]]
        ),
        (.raw, "apimachinery.pkg.runtime.RawExtension", ["type": "object"]),
    ]

    package var document: JSON {
        [
            "openapi": "3.0.0",
            "info": ["title": "Kubernetes", "version": .string(Self.versionText)],
            "paths": paths(groupVersion), "components": ["schemas": schemas],
        ]
    }

    // MARK: - Schemas

    private var schemas: JSON {
        var roots = groupVersion.kinds.flatMap { [$0.message, $0.message + "List"] }
        roots += [Self.deleteOptions, Self.status]
        if groupVersion.kinds.contains(where: { $0.hasSubresource(.scale) }) {
            roots.append("api.autoscaling.v1.Scale")
        }
        if groupVersion.kinds.contains(where: { $0.hasSubresource(.binding) }) {
            roots.append("api.core.v1.Binding")
        }
        var found: Set<String> = []
        var waiting = roots.compactMap { Schema.message($0) }
        var used: Set<SchemaType> = []
        while let message = waiting.popLast() {
            guard found.insert(message.name).inserted else { continue }
            for field in message.properties {
                if let next = field.message {
                    waiting.append(next)
                } else {
                    used.insert(field.type)
                }
            }
        }
        var named: [(name: String, schema: JSON)] = []
        for name in found {
            if let message = Schema.message(name) { named.append((name, schema(of: message))) }
        }
        for leaf in Self.leaves where used.contains(leaf.type) {
            named.append((leaf.name, leaf.schema))
        }
        var object = JSONObject()
        for (name, schema) in named.sorted(by: { $0.name < $1.name }) {
            object.append(Self.publicName(name), schema)
        }
        return .object(object)
    }

    private static func publicName(_ message: String) -> String { "io.k8s." + message }

    private static func reference(_ message: String) -> JSON {
        ["$ref": .string("#/components/schemas/" + publicName(message))]
    }

    private func schema(of message: SchemaMessage) -> JSON {
        var properties = JSONObject()
        if kindsByMessage[message.name] != nil {
            properties["apiVersion"] = ["type": "string"]
            properties["kind"] = ["type": "string"]
        }
        for field in message.properties { properties[field.name] = property(field) }
        var json: JSON = ["type": "object", "properties": .object(properties)]
        let required = message.properties.filter(\.isRequired).map { JSON.string($0.name) }
        if !required.isEmpty { json["required"] = .array(required) }
        if let kind = kindsByMessage[message.name] {
            json["x-kubernetes-group-version-kind"] = [
                Discovery.kindJSON(kind.group, kind.version, kind.kind)
            ]
        }
        return json
    }

    private func property(_ field: SchemaField) -> JSON {
        var json: JSON
        switch field.cardinality {
        case .single:
            json = Self.element(field, isMember: true)
        case .repeated:
            json = ["type": "array", "items": Self.element(field, isMember: false)]
            if let type = field.listType { json["x-kubernetes-list-type"] = .string(type) }
            if !field.listKeys.isEmpty {
                json["x-kubernetes-list-map-keys"] = .array(field.listKeys.map(JSON.string))
            }
        case .map:
            json = ["type": "object", "additionalProperties": Self.element(field, isMember: false)]
            if let type = field.mapType { json["x-kubernetes-map-type"] = .string(type) }
        }
        if let key = field.mergeKey { json["x-kubernetes-patch-merge-key"] = .string(key) }
        if !field.patchStrategies.isEmpty {
            json["x-kubernetes-patch-strategy"] = .string(
                field.patchStrategies.joined(separator: ","))
        }
        if let text = field.defaultValue, let value = try? JSON.parse(text) {
            json["default"] = value
        }
        return json
    }

    private static func element(_ field: SchemaField, isMember: Bool) -> JSON {
        switch field.type {
        case .string: return ["type": "string"]
        case .int32: return ["type": "integer", "format": "int32"]
        case .int64: return ["type": "integer", "format": "int64"]
        case .bool: return ["type": "boolean"]
        case .double: return ["type": "number", "format": "double"]
        case .bytes: return ["type": "string", "format": "byte"]
        case .message:
            let reference = reference(field.message?.name ?? "")
            return isMember ? ["allOf": [reference]] : reference
        case .quantity, .time, .microTime, .intOrString, .raw:
            let name = leaves.first { $0.type == field.type }?.name ?? ""
            return isMember ? ["allOf": [reference(name)]] : reference(name)
        }
    }
}
