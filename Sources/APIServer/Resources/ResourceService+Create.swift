import Documents
import Basics
import Keyspace
import Objects

extension ResourceService {
    func create(_ context: RequestContext) async throws(APIError) -> APIResponse {
        let (body, warnings) = try RequestBody.decode(
            contentType: context.contentType, context.body, expected: context.kind,
            fieldValidation: context.fieldValidation())
        if let version = body.path("metadata", "resourceVersion")?.stringValue, !version.isEmpty,
            version != "0"
        {
            throw .badRequest("resourceVersion should not be set on objects to be created")
        }
        let item = try await create(
            context.kind, body, namespace: context.info.namespace,
            isDryRun: try context.isDryRun())
        return APIResponse(status: 201, body: try context.representation.body(item))
            .warning(warnings)
    }

    /// Stores a new object; the namespace is checked in the same commit.
    func create(
        _ kind: ResourceKind, _ body: JSON, namespace: String, isDryRun: Bool
    ) async throws(APIError) -> StoredItem {
        let generates =
            (body.path("metadata", "name")?.stringValue ?? "").isEmpty
            && !(body.path("metadata", "generateName")?.stringValue ?? "").isEmpty
        var readsFreshNamespace = false
        for _ in 0..<Self.attemptsMax {
            let fresh = fresh()
            var json = try Strategy.prepareCreate(
                kind, body, namespace: namespace, now: fresh.now, uid: fresh.uid,
                nameSuffix: fresh.suffix)
            let name = json.path("metadata", "name")?.stringValue ?? ""
            let key = kind.key(namespace: namespace, name: name)
            var guards: [CommitRequest.Guard] = [.modRevision(key: key, equals: 0)]
            if kind.isNamespaced {
                guards.append(
                    try await namespaceGuard(
                        kind, name, namespace: namespace, isSerializable: !readsFreshNamespace))
            }
            if kind == .service { guards += try await allocator.allocate(&json, old: nil, self) }
            let value = StoredValue.encode(json)
            try checkSize(value)
            if isDryRun {
                guard try await read(kind, namespace: namespace, name: name) == nil else {
                    throw .alreadyExists(kind, name)
                }
                return try StoredItem(kind: kind, key: key, value: value, revision: 0)
            }
            let lease = kind == .event ? try await eventLeases.current(self) : 0
            let request = CommitRequest(
                guards: guards, mutations: [.put(key: key, value: value, lease: lease)])
            switch try await commit(request) {
            case .committed(let first, _):
                return try StoredItem(kind: kind, key: key, value: value, revision: first)
            case .guardFailed(0, _):
                if !generates { throw .alreadyExists(kind, name) }
            case .guardFailed:
                readsFreshNamespace = true
            }
        }
        throw .conflict(kind, body.path("metadata", "name")?.stringValue ?? "")
    }

    /// The namespace as it is now; the commit fails if it changes meanwhile.
    private func namespaceGuard(
        _ kind: ResourceKind, _ name: String, namespace: String, isSerializable: Bool
    ) async throws(APIError) -> CommitRequest.Guard {
        var found = try await read(
            .namespace, namespace: "", name: namespace, isSerializable: isSerializable)
        if found == nil, isSerializable {
            found = try await read(.namespace, namespace: "", name: namespace)
        }
        guard let found else { throw .notFound(.namespace, namespace) }
        if try found.object().isBeingDeleted {
            throw .namespaceTerminating(kind, name, namespace: namespace)
        }
        return .modRevision(
            key: ResourceKind.namespace.key(namespace: "", name: namespace),
            equals: found.revision)
    }

    func checkSize(_ value: Bytes) throws(APIError) {
        guard value.count <= Limits.requestBytesMax else {
            throw .tooLarge("etcdserver: request is too large")
        }
    }
}
