import Documents

extension OpenAPI {
    /// The paths of every kind, with the parameters that clients look for before they use them.
    func paths(_ groupVersion: Discovery.GroupVersion) -> JSON {
        var paths = JSONObject()
        let base = "/" + groupVersion.path + "/"
        for kind in groupVersion.kinds {
            let scope = kind.isNamespaced ? "namespaces/{namespace}/" : ""
            let collection = base + scope + kind.plural
            paths[collection] = collectionItem(kind)
            if kind.isNamespaced {
                paths[base + kind.plural] = [
                    "get": operation(kind, "list", Self.listParameters, isArray: true)
                ]
            }
            paths[collection + "/{name}"] = objectItem(kind)
            for part in kind.subresources where part == .status || part == .scale {
                paths["\(collection)/{name}/\(part.rawValue)"] = objectItem(kind, part)
            }
        }
        return .object(paths)
    }

    private static let writeParameters = ["dryRun", "fieldManager", "fieldValidation", "pretty"]
    private static let listParameters = [
        "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "pretty",
        "resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
    ]
    private static let deleteParameters = [
        "dryRun", "gracePeriodSeconds", "orphanDependents", "pretty", "propagationPolicy",
    ]

    private func collectionItem(_ kind: ResourceKind) -> JSON {
        var item: JSON = [
            "get": operation(kind, "list", Self.listParameters, isArray: true),
            "post": operation(kind, "post", Self.writeParameters, hasBody: true),
            "parameters": pathParameters(kind, named: false),
        ]
        if kind.verbs.contains("deletecollection") {
            item["delete"] = operation(
                kind, "deletecollection", Self.deleteParameters + Self.listParameters)
        }
        return item
    }

    private func objectItem(_ kind: ResourceKind, _ part: Subresource = .none) -> JSON {
        var item: JSON = [
            "get": operation(kind, "get", ["pretty"], part),
            "put": operation(kind, "put", Self.writeParameters, part, hasBody: true),
            "patch": operation(kind, "patch", Self.writeParameters + ["force"], part),
            "parameters": pathParameters(kind, named: true),
        ]
        if part == .none { item["delete"] = operation(kind, "delete", Self.deleteParameters) }
        return item
    }

    private func pathParameters(_ kind: ResourceKind, named: Bool) -> JSON {
        var names: [String] = []
        if named { names.append("name") }
        if kind.isNamespaced { names.append("namespace") }
        return .array(
            names.map { name in
                [
                    "name": .string(name), "in": "path", "required": true,
                    "schema": ["type": "string", "uniqueItems": true],
                ]
            })
    }

    private func operation(
        _ kind: ResourceKind, _ action: String, _ parameters: [String],
        _ part: Subresource = .none, isArray: Bool = false, hasBody: Bool = false
    ) -> JSON {
        let shownMessage = part == .scale ? "api.autoscaling.v1.Scale" : kind.message
        let message = isArray ? kind.message + "List" : shownMessage
        let schema: JSON = ["$ref": .string("#/components/schemas/io.k8s." + message)]
        var json: JSON = [
            "operationId": .string(operationID(kind, action, part)),
            "parameters": .array(parameters.map(Self.queryParameter)),
            "responses": [
                "200": ["description": "OK", "content": ["application/json": ["schema": schema]]]
            ],
            "x-kubernetes-action": .string(action),
        ]
        if hasBody {
            json["requestBody"] = ["content": ["*/*": ["schema": schema]], "required": true]
        }
        if action == "patch" {
            let types = ["json-patch", "merge-patch", "strategic-merge-patch"]
            var content = JSONObject()
            for type in types {
                content["application/\(type)+json"] = ["schema": ["type": "object"]]
            }
            json["requestBody"] = ["content": .object(content), "required": true]
        }
        json["x-kubernetes-group-version-kind"] =
            part == .scale
            ? Discovery.kindJSON("autoscaling", "v1", "Scale")
            : Discovery.kindJSON(kind.group, kind.version, kind.kind)
        return json
    }

    private func operationID(_ kind: ResourceKind, _ action: String, _ part: Subresource) -> String
    {
        func capitalized(_ text: some StringProtocol) -> String {
            text.prefix(1).uppercased() + text.dropFirst()
        }
        let group = kind.group.isEmpty ? "Core" : capitalized(kind.group.prefix { $0 != "." })
        return action + group + capitalized(kind.version)
            + (kind.isNamespaced ? "Namespaced" : "") + kind.kind + capitalized(part.rawValue)
    }

    private static func queryParameter(_ name: String) -> JSON {
        let type: JSON
        switch name {
        case "allowWatchBookmarks", "force", "orphanDependents", "sendInitialEvents", "watch":
            type = "boolean"
        case "gracePeriodSeconds", "limit", "timeoutSeconds": type = "integer"
        default: type = "string"
        }
        return [
            "name": .string(name), "in": "query", "schema": ["type": type, "uniqueItems": true],
        ]
    }
}
