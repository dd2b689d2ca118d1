import Basics

/// One method's counters.
package final class GRPCMethodMetrics: Sendable {
    package enum Kind: String, Sendable {
        case unary
        case serverStream = "server_stream"
        case bidirectional = "bidi_stream"
    }

    /// Upper ends in seconds, those that Prometheus' clients use unless told otherwise.
    static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    let path: String
    /// Made once: `grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"`.
    private let labels: String
    let started = Counter()
    private let handled: [Counter]
    private let handling = Histogram(bounds)
    private let receivedMessages = Counter()
    private let sentMessages = Counter()
    let receivedBytes = Counter()
    let sentBytes = Counter()

    init(_ path: String, _ kind: Kind) {
        let parts = path.split(separator: "/")
        self.path = path
        labels =
            "grpc_method=\"\(parts.last ?? "")\",grpc_service=\"\(parts.first ?? "")\","
            + "grpc_type=\"\(kind.rawValue)\""
        handled = GRPCStatus.Code.allCases.map { _ in Counter() }
    }

    var ended: UInt64 { handled.reduce(0) { $0 + $1.value } }

    func received(messageBytes: Int) {
        receivedMessages.add()
        receivedBytes.add(messageBytes)
    }

    func sent(messageBytes: Int) {
        sentMessages.add()
        sentBytes.add(messageBytes)
    }

    func ended(_ code: GRPCStatus.Code, since start: MonotonicTime) {
        handled[code.rawValue].add()
        handling.observe(from: start, to: .now())
    }

    func write(to text: inout MetricsText) {
        text.sample(
            "grpc_server_started_total", .counter, "Calls that began.", labels: labels,
            value: "\(started.value)")
        for code in GRPCStatus.Code.allCases {
            text.sample(
                "grpc_server_handled_total", .counter, "Calls that ended, by their status.",
                labels: "grpc_code=\"\(code.name)\",\(labels)",
                value: "\(handled[code.rawValue].value)")
        }
        text.histogram(
            "grpc_server_handling_seconds", "Time from a call's headers to its status.",
            labels: labels, handling)
        text.sample(
            "grpc_server_msg_received_total", .counter, "Messages that clients sent.",
            labels: labels, value: "\(receivedMessages.value)")
        text.sample(
            "grpc_server_msg_sent_total", .counter, "Messages sent to clients.", labels: labels,
            value: "\(sentMessages.value)")
    }
}
