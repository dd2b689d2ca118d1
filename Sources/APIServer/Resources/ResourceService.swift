import Documents
import Basics
import HTTP
import Keyspace
import Objects
import Store

/// REST over the store, one way for all kinds: the verbs stand in the extensions.
struct ResourceService: Sendable {
    let store: any Store
    let allocator: ServiceAllocator
    let eventLeases: EventLeases
    let metrics: Metrics
    let tunnels: AgentTunnels

    /// Tries of a write that loses against other writers before the client is told.
    static let attemptsMax = 12

    // MARK: - The store, with the API's errors

    func range(_ request: RangeRequest) async throws(APIError) -> RangeResponse {
        do {
            return try await store.range(request)
        } catch {
            throw APIError(error)
        }
    }

    func commit(_ request: CommitRequest) async throws(APIError) -> CommitResponse {
        do {
            return try await store.commit(request)
        } catch {
            var failure = APIError(error)
            // It may have taken effect: clients must not try again by themselves.
            if error.code == .unavailable || error.code == .timeout { failure.details = nil }
            throw failure
        }
    }

    /// The stored object, nil when there is none.
    func read(
        _ kind: ResourceKind, namespace: String, name: String, isSerializable: Bool = false
    ) async throws(APIError) -> StoredItem? {
        var request = RangeRequest(.key(kind.key(namespace: namespace, name: name)))
        request.isSerializable = isSerializable
        guard let keyValue = try await range(request).keyValues.first else { return nil }
        return try StoredItem(kind: kind, keyValue: keyValue)
    }

    func readExisting(
        _ kind: ResourceKind, namespace: String, name: String
    ) async throws(APIError) -> StoredItem {
        guard let item = try await read(kind, namespace: namespace, name: name) else {
            throw .notFound(kind, name)
        }
        return item
    }

    func item(_ object: JSON, _ kind: ResourceKind, revision: Int64) throws(APIError) -> StoredItem
    {
        try StoredItem(kind: kind, key: [], value: StoredValue.encode(object), revision: revision)
    }

    /// Fresh names and times: the only place where a request meets clock and chance.
    func fresh() -> (now: WallTime, uid: String, suffix: String) {
        var random = SystemRandomNumberGenerator()
        return (.now(), Names.uid(using: &random), Names.suffix(using: &random))
    }

    // MARK: - Verbs

    func handle(_ context: RequestContext, _ writer: HTTPResponseWriter) async throws(APIError)
        -> APIResponse?
    {
        let info = context.info
        if !info.subresource.isEmpty { return try await subresource(context, writer) }
        let needsName = info.verb == "update" || info.verb == "patch"
        guard context.kind.verbs.contains(info.verb), !(needsName && info.name.isEmpty),
            !(info.verb == "create" && !info.name.isEmpty)
        else { throw .methodNotAllowed() }
        try checkNamespaceInPath(context)
        switch info.verb {
        case "get": return try await get(context)
        case "list": return try await list(context)
        case "watch":
            try await watch(context, writer)
            return nil
        case "create": return try await create(context)
        case "update": return try await update(context)
        case "patch": return try await patch(context)
        case "delete": return try await delete(context)
        case "deletecollection": return try await deleteCollection(context)
        default: throw .methodNotAllowed()
        }
    }

    /// A namespaced object has a path in its namespace only; collections can be read across all.
    private func checkNamespaceInPath(_ context: RequestContext) throws(APIError) {
        let info = context.info
        if context.kind == .namespace { return }
        if context.kind.isNamespaced {
            if info.namespace.isEmpty, info.verb != "list", info.verb != "watch" {
                throw info.name.isEmpty ? .methodNotAllowed() : .unknownPath
            }
        } else if !info.namespace.isEmpty {
            throw .unknownPath
        }
    }

    private func subresource(_ context: RequestContext, _ writer: HTTPResponseWriter)
        async throws(APIError) -> APIResponse?
    {
        let info = context.info
        guard let subresource = Subresource(rawValue: info.subresource),
            context.kind.hasSubresource(subresource)
        else { throw .unknownPath }
        if context.kind.isNamespaced, info.namespace.isEmpty { throw .unknownPath }
        switch (subresource, info.verb) {
        case (.status, "get"): return try await get(context)
        case (.status, "update"), (.finalize, "update"):
            return try await update(context, subresource: subresource)
        case (.status, "patch"): return try await patch(context, subresource: .status)
        case (.scale, "get"), (.scale, "update"), (.scale, "patch"):
            return try await scale(context)
        case (.binding, "create"): return try await bind(context)
        case (.log, "get"):
            return try await log(context, writer)
        default: throw .methodNotAllowed()
        }
    }
}
