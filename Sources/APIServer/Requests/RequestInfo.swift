import Objects

/// What a request asks for, read from its method, path and query.
struct RequestInfo: Sendable {
    enum Target: Sendable {
        /// `/healthz`, `/version`, discovery and whatever else names no resource.
        case path
        case resource
    }

    var target: Target
    /// `get`, `list`, `watch`, `create`, …; of a plain path the method in lower case.
    var verb: String
    /// Without a trailing slash; `/` itself stays.
    var path: String
    var group = ""
    var version = ""
    var namespace = ""
    var resource = ""
    var name = ""
    var subresource = ""

    init(method: String, path: String, query: QueryParameters) {
        var trimmed = path
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        self.path = trimmed
        target = .path
        verb = method.lowercased()
        var parts = trimmed.split(separator: "/").map { percentDecoded($0) }[...]
        switch parts.first {
        case "api"? where parts.count >= 3:
            version = parts[1]
            parts = parts.dropFirst(2)
        case "apis"? where parts.count >= 4:
            group = parts[1]
            version = parts[2]
            parts = parts.dropFirst(3)
        default:
            return
        }
        target = .resource
        readResource(Array(parts))
        readVerb(method, query)
    }

    private mutating func readResource(_ parts: [String]) {
        var parts = parts
        if parts[0] == "namespaces", parts.count > 1 {
            namespace = parts[1]
            let own = ["status", "finalize"]
            if parts.count > 2, !own.contains(parts[2]) { parts.removeFirst(2) }
        }
        resource = parts[0]
        name = parts.count > 1 ? parts[1] : ""
        subresource = parts.count > 2 ? parts[2...].joined(separator: "/") : ""
    }

    private mutating func readVerb(_ method: String, _ query: QueryParameters) {
        switch method {
        case "GET", "HEAD":
            verb = !name.isEmpty ? "get" : query.flag("watch") ? "watch" : "list"
        case "POST": verb = "create"
        case "PUT": verb = "update"
        case "PATCH": verb = "patch"
        case "DELETE": verb = name.isEmpty ? "deletecollection" : "delete"
        default: break
        }
    }
}
