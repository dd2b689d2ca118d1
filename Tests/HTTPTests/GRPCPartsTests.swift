import Basics
import HTTP
import NIOCore
import Testing

/// Messages that are sent in parts.
@Suite(.timeLimit(.minutes(1)))
struct GRPCPartsTests {
    /// Sends parts as long as the client takes them.
    private final class Sender: Sendable {
        static let partBytes = 100_000
        static let parts = 300

        private let message: GRPCMessageSender
        private let sent: Locked<Int>

        init(_ message: GRPCMessageSender, sent: Locked<Int>) {
            self.message = message
            self.sent = sent
        }

        func sendOn() {
            let count = sent.withLock { sent in
                sent += 1
                return sent
            }
            guard count <= Self.parts else { return message.finish(.ok) }
            message.send(Bytes(repeating: 7, count: Self.partBytes))
            message.whenWritable { self.sendOn() }
        }
    }

    /// Takes nothing of an answer.
    private final class Stalled: HTTPResponseReceiver {
        func receiveHead(status: Int, headers: HTTPHeaders) {}
        func receive(_ bytes: ByteBuffer) {}
        func receiveEnd(trailers: HTTPHeaders) {}
        func failed(_ error: HTTPError) {}
    }

    private struct Observed: @unchecked Sendable {
        // Sendable because a lock is round it.
        weak var sender: Sender?
    }

    private func router(sent: Locked<Int>, observed: Locked<Observed>) -> GRPCRouter {
        var router = GRPCRouter()
        router.unary("/test.Service/Parts") { _, _, reply in
            let total = UInt32(Sender.partBytes * Sender.parts)
            let sender = Sender(reply.begin(messageBytes: total), sent: sent)
            observed.withLock { $0.sender = sender }
            sender.sendOn()
        }
        router.unary("/test.Service/Broken") { _, _, reply in
            let sender = reply.begin(messageBytes: 1_000)
            sender.send([1, 2, 3])
            sender.finish(GRPCStatus(.outOfRange, "overtaken"))
        }
        return router
    }

    private func call(_ channel: GRPCChannel, _ path: String) async -> Result<Bytes, GRPCStatus> {
        await withCheckedContinuation { continuation in
            channel.unary(path, [], timeoutMilliseconds: 30_000) {
                continuation.resume(returning: $0)
            }
        }
    }

    @Test func `Parts make one message`() async throws {
        let router = router(sent: Locked(0), observed: Locked(Observed()))
        try await withServer(router) { server, group in
            let channel = GRPCChannel(
                endpoints: [.init(host: "127.0.0.1", port: server.port)], tls: nil, group: group)
            let whole = try await call(channel, "/test.Service/Parts").get()
            #expect(whole.count == Sender.partBytes * Sender.parts)
            #expect(whole.allSatisfy { $0 == 7 })
            channel.close()
        }
    }

    @Test func `A message that breaks off is the error that broke it`() async throws {
        let router = router(sent: Locked(0), observed: Locked(Observed()))
        try await withServer(router) { server, group in
            let channel = GRPCChannel(
                endpoints: [.init(host: "127.0.0.1", port: server.port)], tls: nil, group: group)
            let broken = await call(channel, "/test.Service/Broken")
            #expect(broken == .failure(GRPCStatus(.outOfRange, "overtaken")))
            channel.close()
        }
    }

    @Test func `Parts wait for a client that stalls, and go when it does`() async throws {
        let sent = Locked(0)
        let observed = Locked(Observed())
        try await withServer(router(sent: sent, observed: observed)) { server, group in
            let client = try await HTTPClientConnection.connect(
                host: "127.0.0.1", port: server.port, group: group)
            let request = HTTPClientRequest(
                method: "POST", target: "/test.Service/Parts",
                headers: ["content-type": "application/grpc", "te": "trailers"])
            let stream = client.open(request, endsRequest: false, receiver: Stalled())
            stream.send(ByteBuffer(repeating: 0, count: 5))
            stream.end()
            var last = -1
            while sent.withLock({ $0 }) != last || last == 0 {
                last = sent.withLock { $0 }
                try await Task.sleep(for: .milliseconds(200))
            }
            let inFlight = Int(HTTPLimits().streamWindowBytes) / Sender.partBytes
            #expect(last <= inFlight + 3)
            #expect(observed.withLock { $0.sender } != nil)
            stream.cancel()
            while observed.withLock({ $0.sender }) != nil {
                try await Task.sleep(for: .milliseconds(5))
            }
            client.close()
        }
    }
}
