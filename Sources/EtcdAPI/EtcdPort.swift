import Basics
package import HTTP
import NIOCore
import Store

/// What the store's client port answers: gRPC, and etcd's few plain pages.
package struct EtcdPort: HTTPHandler {
    private let router: GRPCRouter
    private let store: any Store
    private let counts: EtcdPortMetrics
    private let metrics: [any MetricSource]
    /// Whether clients are served, or only those who look after the server.
    private var servesClients = true

    /// - Parameter metrics: What `/metrics` shows beside the port's own counts.
    init(
        router: GRPCRouter, store: any Store, counts: EtcdPortMetrics,
        metrics: [any MetricSource]
    ) {
        self.router = router
        self.store = store
        self.counts = counts
        self.metrics = metrics
    }

    /// The same port's pages without its services, as etcd's `--listen-metrics-urls` has them.
    package var pagesOnly: EtcdPort {
        var pages = self
        pages.servesClients = false
        return pages
    }

    package func beginning(_ head: HTTPRequestHead) -> HTTPRequestBeginning {
        if servesClients, head.headers.first("content-type")?.hasPrefix("application/grpc") == true
        {
            return router.beginning(head)
        }
        return { handle(head, $0) }
    }

    package func handle(
        _ head: HTTPRequestHead, _ stream: any HTTPServerStream
    ) -> any HTTPRequestReceiver {
        if servesClients {
            if head.headers.first("content-type")?.hasPrefix("application/grpc") == true {
                return router.handle(head, stream)
            }
            if head.path.hasPrefix("/v3/") { return gateway(head, stream) }
        }
        guard head.method == "GET" || head.method == "HEAD" else {
            answer(stream, 405, "text/plain", "Method Not Allowed\n")
            return DroppingReceiver(stream)
        }
        let pages = HealthPages(store: store, counts: counts)
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
        case "/metrics": page(stream)
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

    private func page(_ stream: any HTTPServerStream) {
        let text = MetricsText(of: metrics + [counts]).text
        answer(stream, 200, "text/plain; version=0.0.4; charset=utf-8", text)
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
