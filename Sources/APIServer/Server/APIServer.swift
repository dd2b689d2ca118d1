import Basics
package import HTTP
import NIOCore
package import Objects
package import Store

/// The Kubernetes API over one store.
package final class APIServer: Sendable {
    /// Makes the handler for one node, given its identity and name; asked once for each node.
    package typealias AgentHandler = @Sendable (PeerIdentity, String) -> any HTTPHandler

    package struct Options: Sendable {
        /// Where Services get their addresses from.
        package var serviceRange = "10.96.0.0/16"
        /// The port that clients reach this server on, for the Service `default/kubernetes`.
        package var port = 6443
        /// Answers the store's gRPC calls of a node's agent, behind that node's gate.
        package var agentHandler: AgentHandler?
        /// One line for the server's log.
        package var log: @Sendable (String) -> Void = { _ in }

        package init() {}
    }

    /// Tunnels of node agents: `HTTPServer.start(onTunnel: server.tunnels.accept)`.
    package let tunnels = AgentTunnels()
    private let options: Options
    private let service: ResourceService
    private let health: HealthChecks
    private let metrics = Metrics()
    private let documents: Documents

    package init(store: any Store, options: Options = Options()) {
        self.options = options
        guard let allocator = ServiceAllocator(cidr: options.serviceRange) else {
            preconditionFailure("service range \(options.serviceRange) is not an IPv4 range")
        }
        service = ResourceService(
            store: store, allocator: allocator, eventLeases: EventLeases(), metrics: metrics,
            tunnels: tunnels)
        health = HealthChecks(store: store)
        documents = Documents()
    }

    /// Makes the first namespaces and the Service of the API itself; call until it succeeds.
    package func bootstrap() async throws(APIError) {
        try await Bootstrap(service: service, apiPort: options.port).run()
    }

    /// For `HTTPServer.start`.
    package var handler: any HTTPHandler {
        APIHandler(
            api: AsyncHTTPHandler(bodyBytesMax: Limits.apiBodyBytesMax) { request, writer in
                await self.respond(request, writer)
            }, agentHandler: options.agentHandler)
    }

    private func respond(_ request: HTTPRequest, _ writer: HTTPResponseWriter) async {
        let started = MonotonicTime.now()
        let query = QueryParameters(request.head.query)
        let info = RequestInfo(
            method: request.head.method, path: request.head.path, query: query)
        let kind = Kinds.find(group: info.group, version: info.version, plural: info.resource)
        metrics.requestStarted()
        var code = 200
        do {
            if let response = try await route(request, info, query, kind, writer) {
                code = response.status
                response.send(to: writer)
            }
        } catch {
            code = error.code
            if writer.hasStarted {
                writer.abort()
            } else {
                APIResponse(error).send(to: writer)
            }
            if code >= 500 {
                options.log("\(request.head.method) \(request.head.path): \(code) \(error.message)")
            }
        }
        metrics.requestEnded(
            info, isKnown: kind != nil, code: code,
            milliseconds: MonotonicTime.now().milliseconds(since: started))
    }

    private func route(
        _ request: HTTPRequest, _ info: RequestInfo, _ query: QueryParameters,
        _ kind: ResourceKind?, _ writer: HTTPResponseWriter
    ) async throws(APIError) -> APIResponse? {
        let identity = Identity(request.head.peer)
        try Authorizer.check(info, identity)
        if request.isTooLarge { throw .tooLarge() }
        guard info.target == .resource else {
            return try await path(request, info, query)
        }
        if info.group.isEmpty, info.version == "v1", info.resource == "bindings",
            info.name.isEmpty, info.verb == "create", !info.namespace.isEmpty
        {
            return try await service.bind(
                try context(request, info, query, identity, .pod))
        }
        guard let kind else { throw .unknownPath }
        return try await service.handle(
            try context(request, info, query, identity, kind), writer)
    }

    private func context(
        _ request: HTTPRequest, _ info: RequestInfo, _ query: QueryParameters,
        _ identity: Identity, _ kind: ResourceKind
    ) throws(APIError) -> RequestContext {
        RequestContext(
            info: info, query: query, request: request, identity: identity,
            representation: info.subresource == "log"
                ? .json
                : try Representation(accept: request.head.headers.first("accept"), query: query),
            kind: kind)
    }

    /// Everything that is no resource.
    private func path(
        _ request: HTTPRequest, _ info: RequestInfo, _ query: QueryParameters
    ) async throws(APIError) -> APIResponse {
        guard info.verb == "get" || info.verb == "head" else {
            throw documents.has(info.path) ? .methodNotAllowed() : .unknownPath
        }
        switch info.path.split(separator: "/").first {
        case "healthz"?, "livez"?, "readyz"?: return await health.respond(info, query)
        case "version"? where info.path == "/version":
            return APIResponse(json: ServerVersion.json)
        case "metrics"? where info.path == "/metrics":
            let status = try? await service.store.status()
            return .text(
                metrics.text(
                    revision: status?.revision ?? 0, fileBytes: status?.fileBytes ?? 0))
        default:
            return try documents.respond(info.path, query, request.head.headers)
        }
    }
}
