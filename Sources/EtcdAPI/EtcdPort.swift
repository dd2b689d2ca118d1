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
        guard head.method == "GET" || head.method == "HEAD" else {
            answer(stream, 405, "text/plain", "Method Not Allowed\n")
            return DroppingReceiver(stream)
        }
        switch head.path {
        case "/health": health(head, stream)
        case "/version":
            let version = EtcdAPI.etcdVersion
            answer(
                stream, 200, "application/json",
                "{\"etcdserver\":\"\(version)\",\"etcdcluster\":\"\(version)\"}")
        case "/metrics": metrics(stream)
        default: answer(stream, 404, "text/plain", "404 page not found\n")
        }
        return DroppingReceiver(stream)
    }

    private func answer(
        _ stream: any HTTPServerStream, _ status: Int, _ type: String, _ text: String
    ) {
        let body = ByteBuffer(string: text)
        stream.respond(
            status: status,
            headers: ["content-type": type, "content-length": "\(body.readableBytes)"], body: body)
    }

    /// Healthy is who can read through the leader; `serializable=true` asks only this replica.
    private func health(_ head: HTTPRequestHead, _ stream: any HTTPServerStream) {
        var request = RangeRequest(.key(Bytes("health".utf8)), limit: 1)
        request.isSerializable = head.query.split(separator: "&").contains("serializable=true")
        store.range(request) { result in
            switch result {
            case .success:
                answer(stream, 200, "application/json", "{\"health\":\"true\",\"reason\":\"\"}")
            case .failure(let error):
                let reason =
                    error == .noLeader ? "RAFT NO LEADER" : "RANGE ERROR:\(error.message)"
                answer(
                    stream, 503, "application/json",
                    "{\"health\":\"false\",\"reason\":\"\(reason)\"}")
            }
        }
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
