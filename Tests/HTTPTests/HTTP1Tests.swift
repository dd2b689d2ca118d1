import Basics
import HTTP
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct HTTP1Tests {
    private func ask(_ request: String, port: Int) async throws -> String {
        text(try await exchangeRaw(Bytes(request.utf8), port: port))
    }

    @Test func `Two requests on one connection, the second closes it`() async throws {
        let answer = try await withServer(describing) { server, _ in
            try await ask(
                "GET /a?b=c HTTP/1.1\r\nhost: x\r\n\r\n"
                    + "POST /d HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                    + "content-length: 3\r\n\r\nxyz", port: server.port)
        }
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("GET /a b=c h1 nobody 0"))
        #expect(answer.hasSuffix("POST /d  h1 nobody 3"))
    }

    /// Answers at the head of a request, as pages that need no body do.
    private struct AnswersAtOnce: HTTPHandler {
        private final class Rest: HTTPRequestReceiver {
            func receive(_ bytes: ByteBuffer) {}
            func receiveEnd() {}
            func cancelled() {}
        }

        func handle(
            _ head: HTTPRequestHead, _ stream: any HTTPServerStream
        ) -> any HTTPRequestReceiver {
            stream.respond(status: 200, headers: [:], body: ByteBuffer(string: head.path))
            return Rest()
        }
    }

    @Test func `A request that is answered at its head leaves the connection to the next`()
        async throws
    {
        let body = String(repeating: "x", count: 100_000)
        let answer = try await withServer(AnswersAtOnce()) { server, _ in
            try await ask(
                "GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
                    + "POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n" + body
                    + "GET /c HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
                port: server.port)
        }
        #expect(answer.split(separator: "HTTP/1.1 200 OK").count == 3)
        #expect(!answer.dropLast(200).contains("connection: close"))
        #expect(answer.hasSuffix("/c"))
    }

    @Test func `What follows an answer without end is not read for ever`() async throws {
        let answer = try await withServer(AnswersAtOnce()) { server, _ in
            try await ask(
                "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n"
                    + String(repeating: "x", count: 300_000), port: server.port)
        }
        #expect(answer.hasSuffix("/a"))
    }

    @Test func `A streamed answer is chunked`() async throws {
        let streaming = handler { _, writer in
            writer.start(status: 200)
            for _ in 0..<3 { try? await writer.write(Bytes("abc".utf8)) }
        }
        let answer = try await withServer(streaming) { server, _ in
            try await ask(
                "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", port: server.port)
        }
        #expect(answer.contains("transfer-encoding: chunked"))
        #expect(answer.hasSuffix("3\r\nabc\r\n0\r\n\r\n"))
    }

    @Test func `What is not HTTP gets one line of log and a closed connection`() async throws {
        let lines = Locked<[String]>([])
        try await withServer(describing, log: { line in lines.withLock { $0.append(line) } }) {
            server, _ in
            for garbage in ["\u{16}\u{3}\u{1}garbage\r\n\r\n", "hello\r\n\r\n"] {
                _ = try await ask(garbage, port: server.port)
            }
            let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            _ = try await ask(preface + "garbage garbage garbage", port: server.port)
        }
        #expect(lines.withLock { $0 }.count == 3)
    }

    @Test func `A body over the limit is announced and not kept`() async throws {
        let limited = handler(bodyBytesMax: 10) { request, writer in
            writer.respond(
                status: request.isTooLarge ? 413 : 200, body: Bytes("\(request.body.count)".utf8))
        }
        let answer = try await withServer(limited) { server, _ in
            try await ask(
                "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                    + "content-length: 11\r\n\r\n12345678901", port: server.port)
        }
        #expect(answer.hasPrefix("HTTP/1.1 413"))
    }
}
