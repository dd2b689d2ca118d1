package import HTTP

/// Who asks, as the client certificate says.
package struct Identity: Sendable, Hashable {
    package static let mastersGroup = "system:masters"
    package static let nodesGroup = "system:nodes"
    private static let nodePrefix = "system:node:"

    package var user: String
    package var groups: [String]

    package init(_ peer: PeerIdentity?) {
        guard let peer, !peer.commonName.isEmpty else {
            user = "system:anonymous"
            groups = ["system:unauthenticated"]
            return
        }
        user = peer.commonName
        groups = peer.organizations + ["system:authenticated"]
    }

    package var isMaster: Bool { groups.contains(Self.mastersGroup) }

    /// The node whose agent this is; nil for everybody else.
    package var nodeName: String? {
        guard groups.contains(Self.nodesGroup), user.hasPrefix(Self.nodePrefix) else { return nil }
        let name = String(user.dropFirst(Self.nodePrefix.count))
        return name.isEmpty ? nil : name
    }
}
