package import Basics

/// What the gRPC methods of one port have done, by the names of grpc-ecosystem's middleware.
package final class GRPCMetrics: MetricSource {
    private let methods = Locked<[GRPCMethodMetrics]>([])

    package init() {}

    /// Methods are added while the router is built, so that requests find theirs without a lookup.
    func add(_ path: String, _ kind: GRPCMethodMetrics.Kind) -> GRPCMethodMetrics {
        let method = GRPCMethodMetrics(path, kind)
        methods.withLock { $0.append(method) }
        return method
    }

    /// Calls of a method that have begun and not ended.
    package func open(_ path: String) -> Int {
        let method = methods.withLock { $0.first { $0.path == path } }
        return method.map { Int($0.started.value) - Int($0.ended) } ?? 0
    }

    package func write(to text: inout MetricsText) {
        let methods = methods.withLock { $0 }.sorted { $0.path < $1.path }
        var received: UInt64 = 0
        var sent: UInt64 = 0
        for method in methods {
            method.write(to: &text)
            received += method.receivedBytes.value
            sent += method.sentBytes.value
        }
        text.sample(
            "etcd_network_client_grpc_received_bytes_total", .counter,
            "Bytes of the messages that clients sent.", value: "\(received)")
        text.sample(
            "etcd_network_client_grpc_sent_bytes_total", .counter,
            "Bytes of the messages sent to clients.", value: "\(sent)")
    }
}
