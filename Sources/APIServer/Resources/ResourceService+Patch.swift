import Documents
import Basics
import Objects

/// A patch as it came, ready to be applied as often as it takes.
struct PatchBody: Sendable {
    private enum Form: Sendable {
        case json(JSONPatch)
        case merge(JSON)
        case strategic(JSON)
    }

    static let mediaTypes = [
        "application/json-patch+json", "application/merge-patch+json",
        "application/strategic-merge-patch+json",
    ]

    private let form: Form

    init(contentType: String, _ body: Bytes) throws(APIError) {
        let type = trimmed(contentType.split(separator: ";").first ?? "").lowercased()
        guard Self.mediaTypes.contains(type) else {
            throw .unsupportedMediaType(Self.mediaTypes)
        }
        let json: JSON
        do {
            json = try JSON.parse(body)
        } catch {
            throw .badRequest("error decoding patch: \(error.message)")
        }
        if type == Self.mediaTypes[0] {
            do {
                form = .json(try JSONPatch(json))
            } catch {
                throw APIError(error)
            }
            return
        }
        guard case .object = json else {
            throw .badRequest("error decoding patch: the patch must be an object")
        }
        form = type == Self.mediaTypes[1] ? .merge(json) : .strategic(json)
    }

    func apply(to object: JSON, message: String) throws(APIError) -> JSON {
        do {
            switch form {
            case .json(let patch): return try patch.apply(to: object)
            case .merge(let patch): return MergePatch.apply(patch, to: object)
            case .strategic(let patch):
                return try StrategicMergePatch(lookup: SchemaLookup.field)
                    .apply(patch, to: object, message: message)
            }
        } catch {
            throw APIError(error)
        }
    }
}

extension APIError {
    init(_ error: PatchError) {
        switch error.kind {
        case .malformed: self = .badRequest(error.message)
        case .inapplicable:
            self = APIError(
                code: 422, reason: "Invalid",
                message: "the server rejected our request due to an error in our request",
                details: [
                    "causes": [
                        [
                            "reason": "UnexpectedServerResponse",
                            "message": .string(error.message),
                        ]
                    ]
                ])
        }
    }
}

extension ResourceService {
    func patch(
        _ context: RequestContext, subresource: Subresource = .none
    ) async throws(APIError) -> APIResponse {
        let (kind, info) = (context.kind, context.info)
        let patch = try PatchBody(contentType: context.contentType, context.body)
        let validation = try context.fieldValidation()
        var warnings: [String] = []
        let item = try await change(
            kind, namespace: info.namespace, name: info.name, subresource: subresource,
            isDryRun: try context.isDryRun()
        ) { old throws(APIError) in
            let patched = try patch.apply(to: old.wireJSON, message: kind.message)
            // A patch that names a version other than the current one lost its race before.
            if try requestedVersion(patched) != old.revision {
                throw .conflict(kind, old.name)
            }
            let checked = try RequestBody.conform(
                patched, expected: kind, fieldValidation: validation)
            warnings = checked.warnings
            return checked.json
        }
        return APIResponse(body: try context.representation.body(item)).warning(warnings)
    }
}
