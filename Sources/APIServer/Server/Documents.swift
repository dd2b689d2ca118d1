import Documents
import Basics
import HTTP
import Objects

/// Discovery and OpenAPI as bytes, made when first asked for.
final class Documents: Sendable {
    private struct Document {
        var body: Bytes
        var etag: String
    }

    private static let aggregatedType =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    private let cache = Locked<[String: Document]>([:])

    func has(_ path: String) -> Bool { path == "/" || make(path) != nil }

    func respond(
        _ path: String, _ query: QueryParameters, _ headers: HTTPHeaders
    ) throws(APIError) -> APIResponse {
        let accept = headers.first("accept") ?? ""
        if path == "/api" || path == "/apis", Self.wantsAggregated(accept) {
            return reply(
                document(path + " aggregated") {
                    Discovery.aggregated(core: path == "/api")
                }, headers, type: Self.aggregatedType)
        }
        guard let make = make(path) else { throw .unknownPath }
        var response = reply(document(path, make), headers)
        if path.hasPrefix("/openapi/v3/"), let hash = query["hash"], !hash.isEmpty {
            response.headers.set("cache-control", "public, immutable")
        }
        return response
    }

    /// Whether the client's first choice that we know is the aggregated form.
    private static func wantsAggregated(_ accept: String) -> Bool {
        for choice in accept.split(separator: ",") {
            let parts = choice.split(separator: ";").map(trimmed)
            guard parts.first == "application/json" else { continue }
            if parts.contains("as=APIGroupDiscoveryList") {
                if parts.contains("g=apidiscovery.k8s.io"), parts.contains("v=v2") { return true }
                continue
            }
            return false
        }
        return false
    }

    private func make(_ path: String) -> (() -> JSON)? {
        switch path {
        case "/": return Self.paths
        case "/api": return { Discovery.apiVersions(serverAddress: "") }
        case "/apis": return { Discovery.groupList }
        case "/openapi/v3": return index
        default: break
        }
        let parts = path.split(separator: "/").map(String.init)
        if parts.count == 2, parts[0] == "apis" {
            guard let group = Discovery.group(parts[1]) else { return nil }
            return { group }
        }
        let isOpenAPI = path.hasPrefix("/openapi/v3/")
        let name = isOpenAPI ? parts.dropFirst(2).joined(separator: "/") : String(path.dropFirst())
        guard let found = Discovery.groupVersions.first(where: { $0.path == name }) else {
            return nil
        }
        return isOpenAPI
            ? { OpenAPI(found).document } : { Discovery.resourceList(found) }
    }

    /// `/openapi/v3`: the documents with hashes, so that clients may keep them.
    private func index() -> JSON {
        var paths: JSON = [:]
        for groupVersion in Discovery.groupVersions {
            let path = "/openapi/v3/" + groupVersion.path
            let etag = document(path) { OpenAPI(groupVersion).document }.etag
            paths[groupVersion.path] = ["serverRelativeURL": .string("\(path)?hash=\(etag)")]
        }
        return ["paths": paths]
    }

    private static func paths() -> JSON {
        var paths = ["/api", "/api/v1", "/apis"]
        for groupVersion in Discovery.groupVersions where !groupVersion.group.isEmpty {
            paths += ["/apis/" + groupVersion.group, "/" + groupVersion.path]
        }
        paths += ["/healthz", "/livez", "/metrics", "/openapi/v3", "/readyz", "/version"]
        return ["paths": .array(paths.map(JSON.string))]
    }

    private func document(_ key: String, _ make: () -> JSON) -> Document {
        if let known = cache.withLock({ $0[key] }) { return known }
        let body = make().bytes() + [0x0a]
        let etag = Self.hash(body)
        let document = Document(body: body, etag: etag)
        cache.withLock { $0[key] = document }
        return document
    }

    private func reply(
        _ document: Document, _ headers: HTTPHeaders, type: String = "application/json"
    ) -> APIResponse {
        let quoted = "\"\(document.etag)\""
        let isKnown = headers.first("if-none-match") == quoted
        var response = APIResponse(
            status: isKnown ? 304 : 200, contentType: type, body: isKnown ? [] : document.body)
        response.headers.set("etag", quoted)
        response.headers.set("vary", "Accept")
        response.headers.set("cache-control", "public")
        return response
    }

    private static func hash(_ bytes: Bytes) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let text = String(hash, radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
