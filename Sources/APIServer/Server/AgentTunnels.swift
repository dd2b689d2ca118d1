import Basics
package import HTTP

/// The connections that node agents dialled in, by node name: the way back for byte streams.
package final class AgentTunnels: Sendable {
    private let connections = Locked<[String: HTTPClientConnection]>([:])

    package init() {}

    /// Takes a new tunnel; an identity that is no node's is refused. Give this to
    /// `HTTPServer.start(onTunnel:)`.
    package func accept(_ peer: PeerIdentity, _ connection: HTTPClientConnection) {
        guard let node = Identity(peer).nodeName else { return connection.close() }
        let previous = connections.withLock { connections in
            let previous = connections[node]
            connections[node] = connection
            return previous
        }
        // A newer agent of the same node takes over.
        previous?.close()
        connection.onClose { [weak self, weak connection] in
            self?.remove(node, connection)
        }
    }

    private func remove(_ node: String, _ connection: HTTPClientConnection?) {
        connections.withLock { connections in
            if connections[node] === connection { connections[node] = nil }
        }
    }

    /// The open connection to a node's agent, nil when there is none.
    package func connection(to node: String) -> HTTPClientConnection? {
        connections.withLock { $0[node] }.flatMap { $0.isOpen ? $0 : nil }
    }

    package var nodeNames: [String] { connections.withLock { $0.keys.sorted() } }
}
