import Documents
import Basics
import Keyspace
import Objects

extension ResourceService {
    /// Namespaces that the cluster cannot be without.
    private static let protectedNamespaces = ["default", "kube-system", "kube-public"]

    func delete(_ context: RequestContext) async throws(APIError) -> APIResponse {
        let (kind, info) = (context.kind, context.info)
        let options = try deleteOptions(context)
        let outcome = try await delete(
            kind, namespace: info.namespace, name: info.name, options: options)
        guard outcome.isGone, kind != .pod else {
            return APIResponse(body: try context.representation.body(outcome.item))
        }
        let uid = try outcome.item.object().uid
        return APIResponse(json: APIError.success(kind, name: info.name, uid: uid))
    }

    private func deleteOptions(_ context: RequestContext) throws(APIError) -> DeleteOptions {
        let query = context.query
        var options = DeleteOptions()
        if !context.body.isEmpty {
            options = try RequestBody.decodeDeleteOptions(
                contentType: context.contentType, context.body)
        }
        if let text = query["gracePeriodSeconds"] {
            guard let seconds = Int64(text) else {
                throw .badRequest("strconv.ParseInt: parsing \"\(text)\": invalid syntax")
            }
            options.gracePeriodSeconds = seconds
        }
        if let text = query["propagationPolicy"] { try options.setPropagation(text) }
        if query.has("orphanDependents") {
            options.propagation = query.flag("orphanDependents") ? .orphan : .background
        }
        let dryRun = query.all("dryRun")
        if !dryRun.isEmpty { try options.setDryRun(dryRun) }
        return options
    }

    struct DeleteOutcome {
        var item: StoredItem
        /// The key is deleted, or would be; else the object waits for somebody.
        var isGone: Bool
    }

    func delete(
        _ kind: ResourceKind, namespace: String, name: String, options: DeleteOptions
    ) async throws(APIError) -> DeleteOutcome {
        if kind == .namespace, Self.protectedNamespaces.contains(name) {
            throw .forbidden(
                "namespaces \"\(name)\" is forbidden: this namespace may not be deleted",
                details: ["name": .string(name), "kind": "namespaces"])
        }
        for _ in 0..<Self.attemptsMax {
            let current = try await readExisting(kind, namespace: namespace, name: name)
            let old = try current.object()
            let mutation: CommitRequest.Mutation
            var value: Bytes?
            switch try Strategy.prepareDelete(kind, old: old, options: options, now: .now()) {
            case .unchanged: return DeleteOutcome(item: current, isGone: false)
            case .remove: mutation = .delete(key: old.key)
            case .update(let json):
                let encoded = StoredValue.encode(json)
                value = encoded
                mutation = .put(key: old.key, value: encoded, lease: 0)
            }
            var revision = old.revision
            if !options.isDryRun {
                let request = CommitRequest(
                    guards: [.modRevision(key: old.key, equals: old.revision)],
                    mutations: [mutation])
                guard case .committed(let first, _) = try await commit(request) else { continue }
                revision = first
            }
            guard let value else { return DeleteOutcome(item: current, isGone: true) }
            let item = try StoredItem(kind: kind, key: old.key, value: value, revision: revision)
            return DeleteOutcome(item: item, isGone: false)
        }
        throw .conflict(kind, name)
    }

    /// Deletes what is selected, one by one: what is gone already is no error.
    func deleteCollection(_ context: RequestContext) async throws(APIError) -> APIResponse {
        let options = try deleteOptions(context)
        let page = try await listPage(context)
        var deleted: [StoredItem] = []
        for item in page.items {
            let object = try item.object()
            do {
                let outcome = try await delete(
                    context.kind, namespace: object.namespace, name: object.name,
                    options: options)
                deleted.append(outcome.item)
            } catch {
                if error.code != 404 { throw error }
            }
        }
        return APIResponse(
            body: try context.representation.list(
                context.kind, deleted,
                metadata: ["resourceVersion": .string(String(page.revision))]))
    }
}
