import Basics
import HTTP
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct HTTP2Tests {
    private func connect(
        _ server: HTTPServer, _ group: any EventLoopGroup, limits: HTTPLimits = HTTPLimits()
    ) async throws -> HTTPClientConnection {
        try await HTTPClientConnection.connect(
            host: "127.0.0.1", port: server.port, group: group, limits: limits)
    }

    @Test func `Many requests share a connection`() async throws {
        try await withServer(describing) { server, group in
            let client = try await connect(server, group)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for number in 0..<200 {
                    tasks.addTask {
                        let response = try await client.request(
                            HTTPClientRequest(method: "POST", target: "/r?n=\(number)"),
                            body: Bytes(repeating: 1, count: number))
                        let expected = "POST /r n=\(number) h2 nobody \(number)"
                        #expect(text(response.body) == expected)
                        #expect(response.status == 200)
                    }
                }
                try await tasks.waitForAll()
            }
            client.close()
        }
    }

    @Test func `Bodies far over the windows go both ways`() async throws {
        let echo = handler { request, writer in writer.respond(status: 200, body: request.body) }
        var random = SeededRandom(seed: 7)
        let body = (0..<(9 << 20)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        try await withServer(echo) { server, group in
            let client = try await connect(server, group)
            let response = try await client.request(
                HTTPClientRequest(method: "PUT", target: "/"), body: body)
            #expect(response.body == body)
            client.close()
        }
    }

    @Test func `A client that does not pull holds the sender back`() async throws {
        let sent = Locked(0)
        let endless = handler { _, writer in
            writer.start(status: 200)
            let piece = Bytes(repeating: 0x61, count: 64 * 1024)
            while (try? await writer.write(piece)) != nil { sent.withLock { $0 += piece.count } }
        }
        var limits = HTTPLimits()
        limits.streamWindowBytes = 256 * 1024
        try await withServer(endless) { server, group in
            let client = try await connect(server, group, limits: limits)
            let response = try await client.streaming(HTTPClientRequest(target: "/"))
            // The first piece shows that it flows; then nothing is pulled until it stands still.
            var pulled = try await response.next()?.count ?? 0
            var last = -1
            while sent.withLock({ $0 }) != last {
                last = sent.withLock { $0 }
                try await Task.sleep(for: .milliseconds(200))
            }
            #expect(last < pulled + 4 << 20)
            while pulled < last + (4 << 20) {
                let piece = try #require(try await response.next())
                pulled += piece.count
            }
            response.cancel()
            client.close()
        }
    }

    @Test func `A receiver that does not consume holds the client back`() async throws {
        let streams = Signal<Stalling.Receiver>()
        try await withServer(Stalling(streams: streams)) { server, group in
            let client = try await connect(server, group)
            let answer = Signal<Int>()
            let stream = client.open(
                HTTPClientRequest(method: "POST", target: "/"), endsRequest: false,
                receiver: StatusReceiver(answer))
            let total = 20 << 20
            stream.send(ByteBuffer(repeating: 1, count: total))
            stream.end()
            let receiver = await streams.wait()
            var last = -1
            while receiver.received.withLock({ $0 }) != last {
                last = receiver.received.withLock { $0 }
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(last == Int(HTTPLimits().streamWindowBytes))
            #expect(stream.bufferedBytes == total - last)
            receiver.letGo()
            #expect(await answer.wait() == 200)
            #expect(receiver.received.withLock { $0 } == total)
            client.close()
        }
    }

    @Test func `A client that gives up is noticed`() async throws {
        let gone = Signal<Bool>()
        let waiting = handler { _, writer in
            writer.onCancel { gone.send(true) }
            writer.start(status: 200)
            while !writer.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
        }
        try await withServer(waiting) { server, group in
            let client = try await connect(server, group)
            let response = try await client.streaming(HTTPClientRequest(target: "/"))
            response.cancel()
            #expect(await gone.wait())
            // The connection goes on.
            #expect(client.isOpen)
            client.close()
        }
    }

    @Test func `An aborted answer is an error, not an end`() async throws {
        let aborting = handler { _, writer in
            writer.start(status: 200)
            try? await writer.write(Bytes("part".utf8))
            writer.abort()
        }
        try await withServer(aborting) { server, group in
            let client = try await connect(server, group)
            let error = await #expect(throws: HTTPError.self) {
                _ = try await client.request(HTTPClientRequest(target: "/"))
            }
            #expect(error?.code == .reset)
            client.close()
        }
    }

    @Test func `Headers over the limit are answered 431`() async throws {
        var limits = HTTPLimits()
        limits.headerBytesMax = 2000
        try await withServer(limits: limits, describing) { server, group in
            let client = try await connect(server, group)
            let short = HTTPClientRequest(target: "/")
            var request = short
            request.headers.add("x-long", String(repeating: "x", count: 3000))
            // Before and behind one that begins as it does: what is remembered must not let it in.
            #expect(try await client.request(short).status == 200)
            for _ in 0..<2 { #expect(try await client.request(request).status == 431) }
            #expect(try await client.request(short).status == 200)
            client.close()
        }
    }

    /// nghttp2 is told not to check requests: what RFC 9113 forbids is refused here.
    @Test func `A malformed request is reset, and the connection goes on`() async throws {
        func request(
            _ method: String, _ target: String, _ headers: HTTPHeaders = [:]
        ) -> HTTPClientRequest {
            HTTPClientRequest(method: method, target: target, headers: headers)
        }
        let malformed: [(what: String, HTTPClientRequest)] = [
            ("no method", request("", "/")), ("a method of two words", request("GET IT", "/")),
            ("no path", request("GET", "")), ("a path without /", request("GET", "path")),
            ("a blank in the path", request("GET", "/a b")),
            ("a CONNECT with a path", request("CONNECT", "/")),
            (
                "a pseudo header field behind others",
                request("GET", "/", ["x-a": "1", ":path": "/"])
            ),
            ("an unknown one", request("GET", "/", [":protocol": "websocket"])),
            ("one twice", request("GET", "/", [":path": "/other"])),
            ("a status", request("GET", "/", [":status": "200"])),
            ("te", request("GET", "/", ["te": "gzip"])),
            ("a blank in a name", request("GET", "/", ["x a": "1"])),
            ("a line end in a value", request("GET", "/", ["x-a": "1\r\nx-b: 2"])),
        ]
        let lines = Locked([String]())
        let log = { @Sendable (line: String) in lines.withLock { $0.append(line) } }
        try await withServer(describing, log: log) { server, group in
            let client = try await connect(server, group)
            let good = request("POST", "/", ["content-length": "3", "te": "trailers"])
            // Twice each: an equal head is not looked at again, but must not get through either.
            for (what, request) in malformed + malformed {
                let error = await #expect(throws: HTTPError.self, "\(what)") {
                    _ = try await client.request(request, body: [1, 2, 3])
                }
                #expect(error?.code == .reset, "\(what)")
                #expect(error?.message.contains("HTTP/2 error 1)") == true, "\(what)")
                #expect(try await client.request(good, body: [1, 2, 3]).status == 200, "\(what)")
            }
            client.close()
        }
        #expect(lines.withLock { $0.count } == 1)
    }

    /// etcdctl 3.4 sends the endpoint as it was given to it.
    @Test func `An authority may be a whole URL`() async throws {
        try await withServer(describing) { server, group in
            let client = try await connect(server, group)
            var request = HTTPClientRequest(target: "/")
            request.authority = "http://127.0.0.1:2379"
            #expect(try await client.request(request).status == 200)
            client.close()
        }
    }

    /// Of equal header blocks only the first is read: each request has to see its own.
    @Test func `Each request has its own head, whatever came before it`() async throws {
        let telling = handler { request, writer in
            let head = request.head
            let fields = head.headers.fields.filter { $0.name.hasPrefix("x-") }
                .map { "\($0.name)=\($0.value)" }
            let all = [head.method, head.path, head.query, head.authority] + fields
            writer.respond(status: 200, body: Bytes(all.joined(separator: " ").utf8))
        }
        var random = SeededRandom(seed: 11)
        try await withServer(telling) { server, group in
            let client = try await connect(server, group)
            for _ in 0..<300 {
                var request = HTTPClientRequest(
                    method: random.chance(1, in: 4) ? "POST" : "GET",
                    target: "/path" + (random.chance(1, in: 3) ? "?q=\(random.below(2))" : ""))
                request.authority = random.chance(1, in: 4) ? "other" : "one"
                var expected = [request.method, "/path"]
                expected.append(String(request.target.dropFirst(6)))
                expected.append(request.authority ?? "")
                for name in ["x-a", "x-bb"] where random.chance(2, in: 3) {
                    let value = String(repeating: "v", count: random.below(3))
                    request.headers.add(name, value)
                    expected.append("\(name)=\(value)")
                }
                let response = try await client.request(request)
                #expect(text(response.body) == expected.joined(separator: " "))
            }
            client.close()
        }
    }

    @Test func `A client that keeps cancelling is cut off`() async throws {
        var limits = HTTPLimits()
        limits.resetBurst = 20
        limits.resetsPerSecond = 1
        let waiting = handler { _, writer in
            writer.start(status: 200)
            while !writer.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
        }
        try await withServer(limits: limits, waiting) { server, group in
            let client = try await connect(server, group)
            let closed = Signal<Bool>()
            client.onClose { closed.send(true) }
            for _ in 0..<200 {
                guard let response = try? await client.streaming(HTTPClientRequest(target: "/"))
                else { break }
                response.cancel()
            }
            #expect(await closed.wait())
        }
    }

    @Test func `Stopping lets the open request end and takes no more`() async throws {
        let go = Signal<Bool>()
        let begun = Signal<Bool>()
        let waiting = handler { _, writer in
            begun.send(true)
            _ = await go.wait()
            writer.respond(status: 200, body: Bytes("done".utf8))
        }
        let group = (try await withServer(describing) { _, group in group })
        let server = try await HTTPServer.start(
            host: "127.0.0.1", port: 0, group: group, handler: waiting)
        let client = try await connect(server, group)
        async let answer = client.request(HTTPClientRequest(target: "/"))
        _ = await begun.wait()
        async let stopped: Void = server.stop()
        go.send(true)
        #expect(text(try await answer.body) == "done")
        await stopped
        await #expect(throws: HTTPError.self) {
            _ = try await client.request(HTTPClientRequest(target: "/"))
        }
    }

    @Test func `A port in use is an error that names it`() async throws {
        try await withServer(describing) { server, group in
            let error = await #expect(throws: HTTPError.self) {
                _ = try await HTTPServer.start(
                    host: "127.0.0.1", port: server.port, group: group, handler: describing)
            }
            #expect(error?.message.contains("127.0.0.1:\(server.port)") == true)
        }
    }
}

/// Takes nothing off its window until it is let go.
private struct Stalling: HTTPHandler {
    let streams: Signal<Receiver>

    func handle(
        _ head: HTTPRequestHead, _ stream: any HTTPServerStream
    ) -> any HTTPRequestReceiver {
        let receiver = Receiver(stream)
        streams.send(receiver)
        return receiver
    }

    final class Receiver: HTTPRequestReceiver, Sendable {
        let received = Locked(0)
        private let isFree = Locked(false)
        private let stream: any HTTPServerStream

        init(_ stream: any HTTPServerStream) {
            self.stream = stream
        }

        func receive(_ bytes: ByteBuffer) {
            received.withLock { $0 += bytes.readableBytes }
            if isFree.withLock({ $0 }) { stream.consumed(bytes.readableBytes) }
        }

        func letGo() {
            isFree.withLock { $0 = true }
            stream.consumed(received.withLock { $0 })
        }

        func receiveEnd() { stream.respond(status: 200, headers: [:], body: nil) }
        func cancelled() {}
    }
}

private final class StatusReceiver: HTTPResponseReceiver {
    private let answer: Signal<Int>

    init(_ answer: Signal<Int>) {
        self.answer = answer
    }

    func receiveHead(status: Int, headers: HTTPHeaders) { answer.send(status) }
    func receive(_ bytes: ByteBuffer) {}
    func receiveEnd(trailers: HTTPHeaders) {}
    func failed(_ error: HTTPError) { answer.send(-1) }
}
