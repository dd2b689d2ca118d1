import Basics
import HTTP
import NIOCore
import NIOPosix
import Testing

/// Clients that leave their answers lying: who reads nothing is let go of, who reads little is not.
@Suite(.timeLimit(.minutes(1)))
struct SlowReaderTests {
    private static func frame(
        _ kind: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: Bytes
    ) -> Bytes {
        let header: Bytes = [0, 0, UInt8(payload.count), kind, flags, 0, 0, 0, stream]
        return header + payload
    }

    /// Asks for `/`, with room for two gigabytes of answer: only the socket holds the server back.
    private static var request: Bytes {
        var bytes = Bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        bytes += frame(4, 0, 0, [0, 4, 0x7F, 0xFF, 0xFF, 0xFF])
        bytes += frame(8, 0, 0, [0x7F, 0xFF, 0, 0])
        bytes += frame(1, 5, 1, [0x82, 0x86, 0x84, 0x01, 0x01, 0x61])
        return bytes
    }

    /// A connection that has asked, and reads only when it is told to.
    private func ask(
        _ server: HTTPServer, version: Int, _ counter: ByteCounter
    ) async throws -> any Channel {
        let request = version == 1 ? Bytes("GET / HTTP/1.1\r\nhost: a\r\n\r\n".utf8) : Self.request
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(counter)
                }
            }
            .connect(host: "127.0.0.1", port: server.port).get()
        try await channel.writeAndFlush(ByteBuffer(bytes: request))
        return channel
    }

    /// A connection of HTTP/1.1 is looked at first when its first request is due.
    private func limits(writeTimeoutSeconds: Int64, firstLook: Int64 = 1) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.writeTimeoutSeconds = writeTimeoutSeconds
        limits.handshakeTimeoutSeconds = firstLook
        return limits
    }

    /// An answer without an end, and who is told when its client is gone.
    private func endless(_ gone: Signal<Bool>) -> AsyncHTTPHandler {
        handler { request, writer in
            guard request.head.path == "/" else { return writer.respond(status: 404) }
            writer.onCancel { gone.send(true) }
            writer.start(status: 200)
            let piece = Bytes(repeating: 0x61, count: 64 * 1024)
            while (try? await writer.write(piece)) != nil {}
        }
    }

    @Test(arguments: [1, 2])
    func `A client that reads nothing is cut off, with a line about it`(
        version: Int
    ) async throws {
        let gone = Signal<Bool>()
        let lines = Locked<[String]>([])
        try await withServer(
            limits: limits(writeTimeoutSeconds: 1), endless(gone),
            log: { line in lines.withLock { $0.append(line) } }
        ) { server, _ in
            let client = try await ask(server, version: version, ByteCounter())
            #expect(await gone.wait())
            let told = lines.withLock { $0 }
            #expect(told.count == 1)
            #expect(told.first?.contains("nothing was read in 1 s; closing") == true)
            try? await client.close()
        }
    }

    /// For longer than the limit the server has more to send than the client takes.
    @Test(arguments: [1, 2])
    func `A client that reads slowly gets all of it`(version: Int) async throws {
        let body = Bytes(repeating: 0x61, count: 40 << 20)
        let bytesPerMillisecond = 6 << 10
        let big = handler { _, writer in writer.respond(status: 200, body: body) }
        let lines = Locked<[String]>([])
        try await withServer(
            limits: limits(writeTimeoutSeconds: 2, firstLook: 3), big,
            log: { line in lines.withLock { $0.append(line) } }
        ) { server, _ in
            let counter = ByteCounter()
            let client = try await ask(server, version: version, counter)
            let start = ContinuousClock.now
            while client.isActive, counter.received < body.count {
                let passed = start.duration(to: .now) / .milliseconds(1)
                if counter.received < Int(passed) * bytesPerMillisecond { client.read() }
                try await Task.sleep(for: .milliseconds(2))
            }
            #expect(counter.received >= body.count)
            #expect(lines.withLock { $0 } == [])
            try? await client.close()
        }
    }

    @Test func `An answer that is not taken is cancelled, and the connection goes on`()
        async throws
    {
        let gone = Signal<Bool>()
        let lines = Locked<[String]>([])
        try await withServer(
            limits: limits(writeTimeoutSeconds: 1), endless(gone),
            log: { line in lines.withLock { $0.append(line) } }
        ) { server, group in
            let client = try await HTTPClientConnection.connect(
                host: "127.0.0.1", port: server.port, group: group)
            // Its window is used up, and the socket is free.
            let left = try await client.streaming(HTTPClientRequest(target: "/"))
            #expect(await gone.wait())
            let told = lines.withLock { $0 }
            #expect(told.count == 1)
            #expect(told.first?.contains("an answer is not taken: cancelled") == true)
            let other = try await client.request(HTTPClientRequest(target: "/other"))
            #expect(other.status == 404)
            let error = await #expect(throws: HTTPError.self) {
                while try await left.next() != nil {}
            }
            #expect(error?.code == .cancelled)
            client.close()
        }
    }
}

private final class ByteCounter: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let count = Locked(0)

    var received: Int { count.withLock { $0 } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data).readableBytes
        count.withLock { $0 += bytes }
    }
}
