import Documents
import Basics
import Keyspace
import Objects
import Store

extension ResourceService {
    func get(_ context: RequestContext) async throws(APIError) -> APIResponse {
        let version = try context.query["resourceVersion"].map(parsedResourceVersion)
        guard
            let item = try await read(
                context.kind, namespace: context.info.namespace, name: context.info.name,
                isSerializable: version == 0)
        else { throw .notFound(context.kind, context.info.name) }
        return APIResponse(body: try context.representation.body(item))
    }

    func list(_ context: RequestContext) async throws(APIError) -> APIResponse {
        let page = try await listPage(context)
        var metadata: JSON = ["resourceVersion": .string(String(page.revision))]
        if let next = page.next { metadata["continue"] = .string(next.text) }
        if let remaining = page.remaining { metadata["remainingItemCount"] = .integer(remaining) }
        return APIResponse(
            body: try context.representation.list(context.kind, page.items, metadata: metadata))
    }

    struct Page {
        var revision: Int64
        var items: [StoredItem]
        var next: ContinueToken?
        var remaining: Int64?
    }

    func listPage(_ context: RequestContext) async throws(APIError) -> Page {
        let query = context.query
        let options = try ResourceVersionOptions(query, isWatch: false)
        let selection = try Selection(context)
        var limit: Int64 = 0
        if let text = query["limit"] {
            guard let number = Int64(text), number >= 0 else {
                throw .badRequest(
                    "strconv.ParseInt: parsing \"\(text)\": invalid syntax")
            }
            limit = number
        }
        let token = try query["continue"].map { text throws(APIError) in
            try ContinueToken(parsing: text)
        }
        if token != nil, let version = options.version, version != 0 {
            throw .badRequest(
                "specifying resource version is not allowed when using continue")
        }
        if options.version == 0, token == nil { limit = 0 }
        return try await collect(selection, options, limit: limit, token: token)
    }

    /// Reads ranges until `limit` objects are selected; all ranges are of one revision.
    private func collect(
        _ selection: Selection, _ options: ResourceVersionOptions, limit: Int64,
        token: ContinueToken?
    ) async throws(APIError) -> Page {
        var request = RangeRequest(
            token == nil ? selection.watchRange : selection.range, limit: limit)
        if let token {
            request.revision = token.revision
            request.range.start = selection.range.start + token.start
            guard selection.range.contains(request.range.start) else {
                throw .badRequest("continue key is not valid: it lies outside of the list")
            }
        } else if let version = options.version, version > 0,
            options.match == .exact || (options.match == nil && limit > 0)
        {
            request.revision = version
        }
        request.isSerializable = request.revision > 0 || options.version != nil
        var page = Page(revision: request.revision, items: [])
        while true {
            let response = try await firstRange(request, options, isPinned: request.revision > 0)
            if page.revision == 0 { page.revision = response.revision }
            request.revision = page.revision
            request.isSerializable = true
            for (index, keyValue) in response.keyValues.enumerated() {
                let item = try StoredItem(kind: selection.kind, keyValue: keyValue)
                guard try selection.matches(item) else { continue }
                page.items.append(item)
                let isLast = index == response.keyValues.count - 1 && !response.more
                if limit > 0, page.items.count == Int(limit), !isLast {
                    let next = keyValue.key[selection.range.start.count...] + [0]
                    page.next = ContinueToken(revision: page.revision, start: Bytes(next))
                    if selection.isEverything {
                        page.remaining = response.count - Int64(index) - 1
                    }
                    return page
                }
            }
            guard response.more, let last = response.keyValues.last else { return page }
            request.range.start = last.key + [0]
        }
    }

    private func firstRange(
        _ request: RangeRequest, _ options: ResourceVersionOptions, isPinned: Bool
    ) async throws(APIError) -> RangeResponse {
        var request = request
        do {
            let response = try await store.range(request)
            guard !isPinned, let version = options.version, response.revision < version else {
                return response
            }
            request.isSerializable = false
            let newest = try await store.range(request)
            guard newest.revision < version else { return newest }
            throw APIError.resourceVersionTooLarge(asked: version, current: newest.revision)
        } catch let error as StoreError {
            guard error.code == .futureRevision else { throw Self.listError(error, request) }
            // This replica may be behind: ask for what is committed.
            do {
                if request.isSerializable {
                    request.isSerializable = false
                    return try await store.range(request)
                }
            } catch {
                if error.code != .futureRevision { throw Self.listError(error, request) }
            }
            let current = (try? await store.status())?.revision ?? 0
            throw .resourceVersionTooLarge(asked: request.revision, current: current)
        } catch let error as APIError {
            throw error
        } catch {
            throw .internalError("\(error)")
        }
    }

    private static func listError(_ error: StoreError, _ request: RangeRequest) -> APIError {
        guard error.code == .compacted else { return APIError(error) }
        return .expired(
            "The provided continue parameter is too old to display a consistent list result. You "
                + "can start a new list without the continue parameter.")
    }
}
