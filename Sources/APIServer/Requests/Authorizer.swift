import Documents
import Objects

/// Who may do what until there is RBAC: `system:masters` everything, everybody a few paths.
enum Authorizer {
    private static let publicPaths: Set<String> = ["/healthz", "/livez", "/readyz", "/version"]

    static func check(_ info: RequestInfo, _ identity: Identity) throws(APIError) {
        if identity.isMaster { return }
        if info.target == .path {
            let isProbe = ["/healthz/", "/livez/", "/readyz/"].contains { info.path.hasPrefix($0) }
            if info.verb == "get" || info.verb == "head",
                isProbe || publicPaths.contains(info.path)
            {
                return
            }
            throw .forbidden(
                "forbidden: User \"\(identity.user)\" cannot \(info.verb) path \"\(info.path)\"",
                details: [:])
        }
        let resource =
            info.subresource.isEmpty ? info.resource : info.resource + "/" + info.subresource
        throw .forbidden(
            user: identity.user, verb: info.verb, group: info.group, resource: resource,
            namespace: info.namespace, name: info.name, isNamespaced: !info.namespace.isEmpty)
    }
}
