import Basics
import HTTP
import NIOCore
import Testing

/// What a port does about more than it can do, and what it counts.
@Suite(.timeLimit(.minutes(1)))
struct OverloadTests {
    /// Keeps answers back until the test lets them go.
    private final class Desk: Sendable {
        let replies = Locked<[GRPCReply]>([])

        func letGo() {
            for reply in replies.withLock({ $0 }) { reply([1]) }
            replies.withLock { $0 = [] }
        }
    }

    private func channel(_ server: HTTPServer, _ group: any EventLoopGroup) -> GRPCChannel {
        GRPCChannel(
            endpoints: [.init(host: "127.0.0.1", port: server.port)], tls: nil, group: group)
    }

    private func call(
        _ channel: GRPCChannel, _ path: String, _ message: Bytes, milliseconds: Int64 = 10_000
    ) async -> Result<Bytes, GRPCStatus> {
        await withCheckedContinuation { continuation in
            channel.unary(path, message, timeoutMilliseconds: milliseconds) {
                continuation.resume(returning: $0)
            }
        }
    }

    private func until(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test func `Requests beyond the budget are refused until others are answered`() async throws {
        let desk = Desk()
        let budget = MemoryBudget(limitBytes: 3_000)
        var limits = HTTPLimits()
        limits.budget = budget
        var router = GRPCRouter()
        router.unary("/test.S/Keep") { _, _, reply in desk.replies.withLock { $0.append(reply) } }
        router.unary("/test.S/Echo") { message, _, reply in reply(message) }
        try await withServer(limits: limits, router) { server, group in
            let channel = channel(server, group)
            let kept = Task {
                await call(channel, "/test.S/Keep", Bytes(repeating: 1, count: 2_500))
            }
            try await until { desk.replies.withLock { $0.count } == 1 }
            let refused = await call(channel, "/test.S/Echo", Bytes(repeating: 2, count: 1_000))
            #expect(
                refused
                    == .failure(GRPCStatus(.resourceExhausted, "etcdserver: too many requests")))
            desk.letGo()
            #expect(await kept.value == .success([1]))
            try await until { budget.usedBytes == 0 }
            let served = await call(channel, "/test.S/Echo", Bytes(repeating: 2, count: 1_000))
            #expect(served == .success(Bytes(repeating: 2, count: 1_000)))
            try await until { budget.usedBytes == 0 }
            channel.close()
        }
    }

    @Test func `A budget gets back what clients leave behind`() async throws {
        let desk = Desk()
        let budget = MemoryBudget(limitBytes: 1 << 20)
        var limits = HTTPLimits()
        limits.budget = budget
        var router = GRPCRouter()
        router.unary("/test.S/Keep") { _, _, reply in desk.replies.withLock { $0.append(reply) } }
        try await withServer(limits: limits, router) { server, group in
            let channel = channel(server, group)
            // The client gives up; the handler answers later all the same.
            let late = await call(
                channel, "/test.S/Keep", Bytes(repeating: 1, count: 5_000), milliseconds: 100)
            #expect(throws: GRPCStatus.self) { try late.get() }
            desk.letGo()
            try await until { budget.usedBytes == 0 }
            channel.close()
        }
    }

    @Test func `Each call is counted once, however it ends`() async throws {
        let desk = Desk()
        let metrics = GRPCMetrics()
        var router = GRPCRouter(metrics: metrics)
        router.unary("/test.S/Echo") { message, _, reply in reply(message) }
        router.unary("/test.S/Fail") { _, _, reply in reply(GRPCStatus(.notFound, "none")) }
        router.unary("/test.S/Keep") { _, _, reply in desk.replies.withLock { $0.append(reply) } }
        router.stream("/test.S/Open", kind: .bidirectional) { _, stream in Silent(stream) }
        func value(_ name: String, _ method: String, _ more: String = "") -> String {
            let labels = more + "grpc_method=\"\(method)\",grpc_service=\"test.S\""
            let text = MetricsText(of: [metrics]).text
            let line = text.split(separator: "\n").first { $0.hasPrefix("\(name){\(labels)") }
            return line?.split(separator: " ").last.map(String.init) ?? "none"
        }
        try await withServer(router) { server, group in
            let channel = channel(server, group)
            for _ in 0..<3 { _ = await call(channel, "/test.S/Echo", [1, 2, 3]) }
            _ = await call(channel, "/test.S/Fail", [])
            _ = await call(channel, "/test.S/Keep", [], milliseconds: 50)
            desk.letGo()
            let stream = channel.stream("/test.S/Open", receiver: Deaf())
            stream.send([1])
            try await until { metrics.open("/test.S/Open") == 1 }
            stream.cancel()
            try await until { metrics.open("/test.S/Open") == 0 }
            channel.close()
        }
        #expect(value("grpc_server_started_total", "Echo") == "3")
        #expect(value("grpc_server_handled_total", "Echo", "grpc_code=\"OK\",") == "3")
        #expect(value("grpc_server_handling_seconds_count", "Echo") == "3")
        #expect(value("grpc_server_msg_received_total", "Echo") == "3")
        #expect(value("grpc_server_handled_total", "Fail", "grpc_code=\"NotFound\",") == "1")
        #expect(value("grpc_server_handled_total", "Fail", "grpc_code=\"OK\",") == "0")
        #expect(value("grpc_server_started_total", "Keep") == "1")
        #expect(metrics.open("/test.S/Keep") == 0)
        #expect(value("grpc_server_handled_total", "Open", "grpc_code=\"Canceled\",") == "1")
    }

    @Test func `Connections beyond the limit wait`() async throws {
        var limits = HTTPLimits()
        limits.connectionsMax = 2
        let lines = Locked<[String]>([])
        var router = GRPCRouter()
        router.unary("/test.S/Echo") { message, _, reply in reply(message) }
        try await withServer(
            limits: limits, router, log: { line in lines.withLock { $0.append(line) } }
        ) { server, group in
            let first = try await HTTPClientConnection.connect(
                host: "127.0.0.1", port: server.port, group: group)
            let second = try await HTTPClientConnection.connect(
                host: "127.0.0.1", port: server.port, group: group)
            try await until { !lines.withLock { $0.isEmpty } }
            #expect(lines.withLock { $0.first }?.contains("2 are open") == true)
            let third = channel(server, group)
            async let answer = call(third, "/test.S/Echo", [1])
            // Room for it.
            first.close()
            #expect(await answer == .success([1]))
            second.close()
            third.close()
        }
    }
}

private final class Deaf: GRPCClientReceiver {
    func receive(_ message: Bytes) {}
    func finished(_ status: GRPCStatus) {}
}

private final class Silent: GRPCMessageReceiver {
    private let stream: GRPCServerStream

    init(_ stream: GRPCServerStream) {
        self.stream = stream
    }

    func receive(_ message: Bytes) {}
    func receiveEnd() {}
    func cancelled() {}
}
