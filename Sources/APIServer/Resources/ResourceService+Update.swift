import Documents
import Basics
import Keyspace
import Objects

extension ResourceService {
    /// Kinds that a PUT creates where there is nothing yet.
    private static let createdByUpdate: [ResourceKind] = [.lease, .event, .service]
    /// Kinds whose PUT must say which version it replaces.
    private static let updatedConditionally: [ResourceKind] = [.lease]

    func update(
        _ context: RequestContext, subresource: Subresource = .none
    ) async throws(APIError) -> APIResponse {
        let (kind, info) = (context.kind, context.info)
        let (body, warnings) = try RequestBody.decode(
            contentType: context.contentType, context.body, expected: kind,
            fieldValidation: context.fieldValidation())
        let name = body.path("metadata", "name")?.stringValue ?? ""
        guard name == info.name else {
            throw .badRequest(
                "the name of the object (\(name)) does not match the name on the URL (\(info.name))"
            )
        }
        let expected = try requestedVersion(body)
        let isDryRun = try context.isDryRun()
        if subresource == .none, Self.createdByUpdate.contains(kind), expected == 0,
            try await read(kind, namespace: info.namespace, name: info.name) == nil
        {
            let item = try await create(
                kind, body, namespace: info.namespace, isDryRun: isDryRun)
            return APIResponse(status: 201, body: try context.representation.body(item))
                .warning(warnings)
        }
        if expected == 0, Self.updatedConditionally.contains(kind) {
            throw .invalid(
                kind, name,
                [
                    .invalid(
                        "metadata.resourceVersion", .integer(0), "must be specified for an update")
                ])
        }
        let item = try await change(
            kind, namespace: info.namespace, name: info.name, subresource: subresource,
            isDryRun: isDryRun
        ) { old throws(APIError) in
            if expected != 0, expected != old.revision { throw .conflict(kind, old.name) }
            return body
        }
        return APIResponse(body: try context.representation.body(item)).warning(warnings)
    }

    /// The version that an object in a request says it is of; 0 for none.
    func requestedVersion(_ json: JSON) throws(APIError) -> Int64 {
        let text = json.path("metadata", "resourceVersion")?.stringValue ?? ""
        guard !text.isEmpty else { return 0 }
        guard let version = Int64(text), version >= 0 else {
            throw .badRequest("invalid resource version \"\(text)\"")
        }
        return version
    }

    /// Reads, lets `edit` make the new object out of the old, and writes it if nobody came
    /// between; `edit` runs again after a lost race, and throws to give up.
    func change(
        _ kind: ResourceKind, namespace: String, name: String,
        subresource: Subresource = .none, isDryRun: Bool, validates: Bool = true,
        _ edit: (Object) throws(APIError) -> JSON
    ) async throws(APIError) -> StoredItem {
        for _ in 0..<Self.attemptsMax {
            let current = try await readExisting(kind, namespace: namespace, name: name)
            let old = try current.object()
            var json = try edit(old)
            if validates {
                json = try Strategy.prepareUpdate(
                    kind, old: old, new: json, subresource: subresource, now: .now())
            }
            var guards: [CommitRequest.Guard] = [
                .modRevision(
                    key: kind.key(namespace: namespace, name: name), equals: old.revision)
            ]
            if kind == .service, subresource == .none {
                guards += try await allocator.allocate(&json, old: old.json, self)
            }
            if json == old.json { return current }
            if let item = try await replace(old, json, guards: guards, isDryRun: isDryRun) {
                return item
            }
        }
        throw .conflict(kind, name)
    }

    /// One try; nil when another writer was faster. An object with nothing left to wait for
    /// before it goes, goes now.
    private func replace(
        _ old: Object, _ json: JSON, guards: [CommitRequest.Guard], isDryRun: Bool
    ) async throws(APIError) -> StoredItem? {
        let key = old.key
        let value = StoredValue.encode(json)
        try checkSize(value)
        if isDryRun {
            return try StoredItem(kind: old.kind, key: key, value: value, revision: old.revision)
        }
        let mutation: CommitRequest.Mutation
        if Strategy.isDeletionComplete(old.kind, json) {
            mutation = .delete(key: key)
        } else {
            let lease = old.kind == .event ? try await eventLeases.current(self) : 0
            mutation = .put(key: key, value: value, lease: lease)
        }
        switch try await commit(CommitRequest(guards: guards, mutations: [mutation])) {
        case .committed(let first, _):
            return try StoredItem(kind: old.kind, key: key, value: value, revision: first)
        case .guardFailed:
            return nil
        }
    }
}
