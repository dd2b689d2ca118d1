import Basics
import HTTP
import NIOCore
import NIOPosix

/// A handler made of one asynchronous function.
func handler(
    bodyBytesMax: Int = 32 << 20, _ respond: @escaping AsyncHTTPHandler.Respond
) -> AsyncHTTPHandler {
    AsyncHTTPHandler(bodyBytesMax: bodyBytesMax, respond: respond)
}

/// Answers what it was asked: method, path, query, protocol, peer and body size.
let describing = handler { request, writer in
    let head = request.head
    let peer = head.peer.map { "\($0.commonName)/\($0.organizations.joined(separator: "+"))" }
    let text = [
        head.method, head.path, head.query, head.isHTTP2 ? "h2" : "h1", peer ?? "nobody",
        "\(request.body.count)",
    ].joined(separator: " ")
    writer.respond(status: 200, headers: ["content-type": "text/plain"], body: Bytes(text.utf8))
}

func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

/// Serves for the length of `body`.
func withServer<Result>(
    tls: TLSServerOptions? = nil, limits: HTTPLimits = HTTPLimits(), _ handler: any HTTPHandler,
    onTunnel: HTTPServer.OnTunnel? = nil, log: @escaping @Sendable (String) -> Void = { _ in },
    _ body: (HTTPServer, any EventLoopGroup) async throws -> Result
) async throws -> Result {
    let group = MultiThreadedEventLoopGroup.singleton
    var limits = limits
    limits.drainSeconds = min(limits.drainSeconds, 1)
    let server = try await HTTPServer.start(
        host: "127.0.0.1", port: 0, tls: tls, group: group, limits: limits, handler: handler,
        onTunnel: onTunnel, log: log)
    do {
        let result = try await body(server, group)
        await server.stop()
        return result
    } catch {
        await server.stop()
        throw error
    }
}

/// Sends raw bytes and answers everything that comes until the server closes.
func exchangeRaw(_ bytes: Bytes, port: Int) async throws -> Bytes {
    let collector = Collector()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(collector)
            }
        }
        .connect(host: "127.0.0.1", port: port).get()
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    try await channel.closeFuture.get()
    return collector.bytes.withLock { $0 }
}

private final class Collector: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let bytes = Locked(Bytes())

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        bytes.withLock { $0.append(contentsOf: buffer.readableBytesView) }
    }
}

/// A value that one side sets and the other waits for.
final class Signal<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [CheckedContinuation<Value, Never>] = []
    }

    private let state = Locked(State())

    func send(_ value: Value) {
        let waiters = state.withLock { state in
            guard state.value == nil else { return [] as [CheckedContinuation<Value, Never>] }
            state.value = value
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: value) }
    }

    func wait() async -> Value {
        await withCheckedContinuation { continuation in
            let value = state.withLock { state in
                if state.value == nil { state.waiters.append(continuation) }
                return state.value
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}
