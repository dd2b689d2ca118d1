import Basics
import HTTP
import NIOCore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct GRPCTests {
    private var router: GRPCRouter {
        var router = GRPCRouter()
        router.unary("/test.Service/Reverse") { message, _, reply in reply(message.reversed()) }
        router.unary("/test.Service/Fail") { _, _, reply in
            reply(GRPCStatus(.notFound, "etcdserver: no such thing: 100 % ä"))
        }
        router.unary("/test.Service/Never") { _, _, _ in }
        router.stream("/test.Service/Echo") { _, stream in Echo(stream) }
        router.stream("/test.Service/Flood") { _, stream in Flood(stream) }
        return router
    }

    private func call(
        _ channel: GRPCChannel, _ path: String, _ message: Bytes,
        timeoutMilliseconds: Int64 = 10_000
    ) async -> Result<Bytes, GRPCStatus> {
        await withCheckedContinuation { continuation in
            channel.unary(path, message, timeoutMilliseconds: timeoutMilliseconds) {
                continuation.resume(returning: $0)
            }
        }
    }

    private func channel(_ ports: Int..., group: any EventLoopGroup) -> GRPCChannel {
        GRPCChannel(
            endpoints: ports.map { .init(host: "127.0.0.1", port: $0) }, tls: nil, group: group)
    }

    @Test func `Unary calls answer messages and statuses`() async throws {
        try await withServer(router) { server, group in
            let channel = channel(server.port, group: group)
            for size in [0, 3, 100_000, 1_500_000] {
                let message = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
                let answer = try await call(channel, "/test.Service/Reverse", message).get()
                #expect(answer == message.reversed())
            }
            #expect(
                await call(channel, "/test.Service/Fail", [])
                    == .failure(GRPCStatus(.notFound, "etcdserver: no such thing: 100 % ä")))
            #expect(
                await call(channel, "/test.Service/Missing", [])
                    == .failure(
                        GRPCStatus(
                            .unimplemented, "unknown method Missing for service test.Service")))
            let tooLarge = await call(
                channel, "/test.Service/Reverse", Bytes(repeating: 0, count: 3 << 20))
            #expect(throws: GRPCStatus.self) { try tooLarge.get() }
            let late = await call(channel, "/test.Service/Never", [], timeoutMilliseconds: 50)
            #expect(throws: GRPCStatus(.deadlineExceeded, "no answer in 50 ms")) { try late.get() }
            channel.close()
        }
    }

    @Test func `A stream carries messages both ways and ends with a status`() async throws {
        try await withServer(router) { server, group in
            let channel = channel(server.port, group: group)
            let receiver = StreamReceiver()
            let stream = channel.stream("/test.Service/Echo", receiver: receiver)
            receiver.begin(stream)
            for number in 0..<100 { stream.send([UInt8(number), 7]) }
            stream.end()
            #expect(await receiver.status.wait() == .ok)
            #expect(receiver.messages.withLock { $0 } == (0..<100).map { [UInt8($0), 7] })
            channel.close()
        }
    }

    @Test func `A request that ends within a message is refused`() async throws {
        let whole: Bytes = [0, 0, 0, 0, 1, 7]
        // Within what stands before a message, and within the message; first, and behind one.
        let parts: [Bytes] = [[0], [0, 0, 0, 0, 2], [0, 0, 0, 0, 2, 7]]
        try await withServer(router) { server, group in
            let client = try await HTTPClientConnection.connect(
                host: "127.0.0.1", port: server.port, group: group)
            defer { client.close() }
            for path in ["/test.Service/Echo", "/test.Service/Reverse"] {
                for body in parts + parts.map({ whole + $0 }) {
                    let response = try await client.request(
                        HTTPClientRequest(
                            method: "POST", target: path,
                            headers: ["content-type": "application/grpc", "te": "trailers"]),
                        body: body)
                    let status =
                        GRPCStatus(trailers: response.trailers)
                        ?? GRPCStatus(trailers: response.headers)
                    #expect(status == .requestCutShort, "\(path) \(body)")
                }
            }
        }
    }

    @Test func `A receiver that gives nothing back stops a flood`() async throws {
        try await withServer(router) { server, group in
            let channel = channel(server.port, group: group)
            let receiver = StreamReceiver()
            let stream = channel.stream("/test.Service/Flood", receiver: receiver)
            var last = -1
            while receiver.bytes != last {
                last = receiver.bytes
                try await Task.sleep(for: .milliseconds(200))
            }
            #expect(last < 4 << 20)
            // Giving it all back lets it go on.
            stream.consumed(messageBytes: last)
            while receiver.bytes < last + 1 << 16 {
                try await Task.sleep(for: .milliseconds(10))
            }
            stream.cancel()
            #expect(await receiver.status.wait().code == .cancelled)
            channel.close()
        }
    }

    @Test func `A channel goes to the server that lives`() async throws {
        let dead = try #require(ReservedPort())
        try await withServer(router) { server, group in
            let channel = channel(dead.number, server.port, group: group)
            let living = try await call(channel, "/test.Service/Reverse", [1, 2]).get()
            #expect(living == [2, 1])
            channel.close()
            let nowhere = self.channel(dead.number, group: group)
            let answer = await call(nowhere, "/test.Service/Reverse", [])
            let error = #expect(throws: GRPCStatus.self) { try answer.get() }
            #expect(error?.code == .unavailable)
            nowhere.close()
        }
    }

    @Test func `A channel comes back when its server does`() async throws {
        let group = try await withServer(router) { _, group in group }
        let first = try await HTTPServer.start(
            host: "127.0.0.1", port: 0, group: group, handler: router)
        let channel = channel(first.port, group: group)
        let before = try await call(channel, "/test.Service/Reverse", [1, 2]).get()
        #expect(before == [2, 1])
        await first.stop()
        let second = try await HTTPServer.start(
            host: "127.0.0.1", port: first.port, group: group, handler: router)
        var answer = await call(channel, "/test.Service/Reverse", [3, 4])
        while case .failure(let status) = answer, status.code == .unavailable {
            answer = await call(channel, "/test.Service/Reverse", [3, 4])
        }
        #expect(try answer.get() == [4, 3])
        channel.close()
        await second.stop()
    }
}

private final class Echo: GRPCMessageReceiver {
    private let stream: GRPCServerStream

    init(_ stream: GRPCServerStream) {
        self.stream = stream
    }

    /// Back in two parts, which make one message.
    func receive(_ message: Bytes) {
        stream.send(Bytes(message.prefix(1)), Bytes(message.dropFirst()))
    }

    func receiveEnd() { stream.finish(.ok) }
    func cancelled() {}
}

/// Sends without end, as fast as the client takes it.
private final class Flood: GRPCMessageReceiver, @unchecked Sendable {
    private let stream: GRPCServerStream
    private var isOver = false

    init(_ stream: GRPCServerStream) {
        self.stream = stream
        stream.eventLoop.execute { self.pour() }
    }

    private func pour() {
        guard !isOver else { return }
        while stream.isWritable { stream.send(Bytes(repeating: 1, count: 10_000)) }
        stream.whenWritable { self.pour() }
    }

    func receive(_ message: Bytes) {}
    func receiveEnd() {}
    func cancelled() { isOver = true }
}

private final class StreamReceiver: GRPCClientReceiver {
    let messages = Locked<[Bytes]>([])
    let status = Signal<GRPCStatus>()
    private let stream = Locked<GRPCClientStream?>(nil)

    var bytes: Int { messages.withLock { $0.reduce(0) { $0 + $1.count } } }

    /// Gives everything back at once from now on.
    func begin(_ stream: GRPCClientStream) { self.stream.withLock { $0 = stream } }

    func receive(_ message: Bytes) {
        messages.withLock { $0.append(message) }
        stream.withLock { $0 }?.consumed(messageBytes: message.count)
    }

    func finished(_ status: GRPCStatus) { self.status.send(status) }
}
