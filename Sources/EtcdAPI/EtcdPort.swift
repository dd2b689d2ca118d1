import Basics
package import HTTP
import Keyspace
import NIOCore
package import Store

/// What the store's client port answers: gRPC, and etcd's few plain pages.
package struct EtcdPort: HTTPHandler {
    private let router: GRPCRouter
    private let store: any Store

    package init(router: GRPCRouter, store: any Store) {
        self.router = router
        self.store = store
    }

    package func handle(
        _ head: HTTPRequestHead, _ stream: any HTTPServerStream
    ) -> any HTTPRequestReceiver {
        if head.headers.first("content-type")?.hasPrefix("application/grpc") == true {
            return router.handle(head, stream)
        }
        if head.path.hasPrefix("/v3/") { return gateway(head, stream) }
        guard head.method == "GET" || head.method == "HEAD" else {
            answer(stream, 405, "text/plain", "Method Not Allowed\n")
            return DroppingReceiver(stream)
        }
        let pages = HealthPages(store: store)
        if let checks = pages.checks(of: head.path) {
            pages.run(checks, head, stream)
            return DroppingReceiver(stream)
        }
        switch head.path {
        case "/health": pages.health(head, stream)
        case "/version":
            let version = EtcdAPI.etcdVersion
            answer(
                stream, 200, "application/json",
                "{\"etcdserver\":\"\(version)\",\"etcdcluster\":\"\(version)\","
                    + "\"storage\":\"\(version)\"}")
        case "/metrics": metrics(stream)
        default: answer(stream, 404, "text/plain", "404 page not found\n")
        }
        return DroppingReceiver(stream)
    }

    /// etcd's JSON gateway: the same methods, with JSON instead of protobuf.
    private func gateway(
        _ head: HTTPRequestHead, _ stream: any HTTPServerStream
    ) -> any HTTPRequestReceiver {
        guard let route = GatewayRoute.all[head.path] else {
            stream.answer(404, GRPCStatus(.notFound, "Not Found").json)
            return DroppingReceiver(stream)
        }
        guard head.method == "POST" else {
            stream.answer(405, GRPCStatus(.unimplemented, "Method Not Allowed").json)
            return DroppingReceiver(stream)
        }
        return GatewayReceiver(route, head, stream, router)
    }

    private func answer(
        _ stream: any HTTPServerStream, _ status: Int, _ type: String, _ text: String
    ) {
        let body = ByteBuffer(string: text)
        stream.respond(
            status: status,
            headers: ["content-type": type, "content-length": "\(body.readableBytes)"], body: body)
    }

    private func metrics(_ stream: any HTTPServerStream) {
        store.status { result in
            guard let status = try? result.get() else {
                return answer(stream, 503, "text/plain", "no status\n")
            }
            let lines = [
                ("etcd_server_has_leader", "gauge", status.leaderID == 0 ? "0" : "1"),
                (
                    "etcd_server_is_leader", "gauge",
                    status.leaderID != 0 && status.leaderID == status.memberID ? "1" : "0"
                ),
                ("etcd_server_proposals_committed_total", "gauge", "\(status.commitIndex)"),
                ("etcd_server_proposals_applied_total", "gauge", "\(status.appliedIndex)"),
                ("etcd_mvcc_db_total_size_in_bytes", "gauge", "\(status.fileBytes)"),
                ("etcd_debugging_mvcc_current_revision", "gauge", "\(status.revision)"),
                (
                    "etcd_debugging_mvcc_compact_revision", "gauge", "\(status.compactRevision)"
                ),
            ]
            let text = lines.map { "# TYPE \($0) \($1)\n\($0) \($2)\n" }.joined()
            answer(stream, 200, "text/plain; version=0.0.4", text)
        }
    }
}

/// Takes a body that nobody reads.
private final class DroppingReceiver: HTTPRequestReceiver {
    private let stream: any HTTPServerStream

    init(_ stream: any HTTPServerStream) {
        self.stream = stream
    }

    func receive(_ bytes: ByteBuffer) { stream.consumed(bytes.readableBytes) }
    func receiveEnd() {}
    func cancelled() {}
}
