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

/// One call under way; a value that costs nothing on a router that does not count.
struct GRPCCallMeter: Sendable {
    private let method: GRPCMethodMetrics?
    private let start: MonotonicTime
    private let budget: MemoryBudget?
    /// Bytes of the request, which are the budget's until the call ends.
    private var chargedBytes = 0

    init(_ method: GRPCMethodMetrics?, budget: MemoryBudget? = nil) {
        self.method = method
        self.budget = budget
        start = method == nil ? MonotonicTime(nanoseconds: 0) : .now()
        method?.started.add()
    }

    /// False when requests and answers take too much already.
    mutating func charge(_ bytes: Int) -> Bool {
        guard let budget else { return true }
        chargedBytes += bytes
        return budget.take(bytes)
    }

    func received(messageBytes: Int) { method?.received(messageBytes: messageBytes) }
    func sent(messageBytes: Int) { method?.sent(messageBytes: messageBytes) }

    /// Once.
    func ended(_ code: GRPCStatus.Code) {
        method?.ended(code, since: start)
        if chargedBytes > 0 { budget?.give(chargedBytes) }
    }
}
