import Basics
import HTTP
import NIOCore

/// Parts the two protocols of the API port: gRPC is the store, for node agents; the rest is REST.
struct APIHandler: HTTPHandler {
    private let api: AsyncHTTPHandler
    private let agentHandler: APIServer.AgentHandler?
    /// One for each node that ever asked, so that what a gate remembers outlives a request.
    private let known = Locked<[String: any HTTPHandler]>([:])

    init(api: AsyncHTTPHandler, agentHandler: APIServer.AgentHandler?) {
        self.api = api
        self.agentHandler = agentHandler
    }

    func handle(
        _ head: HTTPRequestHead, _ stream: any HTTPServerStream
    ) -> any HTTPRequestReceiver {
        guard head.headers.first("content-type")?.hasPrefix("application/grpc") == true else {
            return api.handle(head, stream)
        }
        if let peer = head.peer, let node = Identity(peer).nodeName, let agentHandler {
            let handler = known.withLock { known in
                if let handler = known[node] { return handler }
                let handler = agentHandler(peer, node)
                known[node] = handler
                return handler
            }
            return handler.handle(head, stream)
        }
        let status = GRPCStatus(.permissionDenied, "etcdserver: permission denied")
        stream.respond(
            status: 200,
            headers: [
                "content-type": "application/grpc", "grpc-status": String(status.code.rawValue),
                "grpc-message": status.message,
            ], body: nil)
        return Discard(stream: stream)
    }

    /// The rest of a refused request.
    private final class Discard: HTTPRequestReceiver {
        private let stream: any HTTPServerStream
        init(stream: any HTTPServerStream) { self.stream = stream }
        func receive(_ bytes: ByteBuffer) { stream.consumed(bytes.readableBytes) }
        func receiveEnd() {}
        func cancelled() {}
    }
}
