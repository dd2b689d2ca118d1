import Basics
import HTTP

/// What one client port counts by itself.
final class EtcdPortMetrics: MetricSource {
    let grpc = GRPCMetrics()
    let healthSuccesses = Counter()
    let healthFailures = Counter()

    func write(to text: inout MetricsText) {
        grpc.write(to: &text)
        text.gauge(
            "etcd_debugging_mvcc_watch_stream_total", "Open calls of Watch.",
            grpc.open("/etcdserverpb.Watch/Watch"))
        text.counter("etcd_server_health_success", "Health checks that passed.", healthSuccesses)
        text.counter("etcd_server_health_failures", "Health checks that failed.", healthFailures)
        let version = EtcdAPI.etcdVersion
        text.sample(
            "etcd_server_version", .gauge, "The etcd version that is served, as a label.",
            labels: "server_version=\"\(version)\"", value: "1")
        let minor = version.split(separator: ".").prefix(2).joined(separator: ".")
        text.sample(
            "etcd_cluster_version", .gauge, "The cluster's etcd version, as a label.",
            labels: "cluster_version=\"\(minor)\"", value: "1")
    }
}
