import Basics
import HTTP
import Testing

/// Requests that no client of ours can be brought to send: frames made by hand.
@Suite(.timeLimit(.minutes(1)))
struct MalformedRequestTests {
    private static let headers: UInt8 = 1
    private static let data: UInt8 = 0
    private static let reset: UInt8 = 3
    private static let goAway: UInt8 = 7
    private static let endStream: UInt8 = 1
    private static let endHeaders: UInt8 = 4

    private struct Frame {
        var kind: UInt8
        var stream: UInt8
        var payload: Bytes
    }

    /// Streams have ids of one byte here.
    private static func frame(_ kind: UInt8, _ flags: UInt8, _ stream: Int, _ payload: Bytes)
        -> Bytes
    {
        let (high, low) = (UInt8(payload.count >> 8), UInt8(payload.count & 255))
        let header: Bytes = [0, high, low, kind, flags, 0, 0, 0, UInt8(stream)]
        return header + payload
    }

    private static func fields(_ pairs: [(String, String)]) -> Bytes {
        var bytes = Bytes()
        for (name, value) in pairs {
            bytes.append(contentsOf: [0, UInt8(name.utf8.count)])
            bytes.append(contentsOf: Bytes(name.utf8))
            bytes.append(UInt8(value.utf8.count))
            bytes.append(contentsOf: Bytes(value.utf8))
        }
        return bytes
    }

    private static let post = [
        (":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/"),
    ]

    private static func request(
        _ stream: Int, _ more: [(String, String)], body: Int = 3,
        trailers: [(String, String)]? = nil,
        trailersFlags: UInt8 = endStream | endHeaders
    ) -> Bytes {
        let head = frame(headers, endHeaders, stream, fields(post + more))
        let flags = trailers == nil ? endStream : 0
        let end = trailers.map { frame(headers, trailersFlags, stream, fields($0)) } ?? []
        return head + frame(data, flags, stream, Bytes(repeating: 1, count: body)) + end
    }

    private static func frames(_ bytes: Bytes) -> [Frame] {
        var frames: [Frame] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let start = rest.startIndex
            let length = Int(rest[start + 1]) << 8 | Int(rest[start + 2])
            let end = min(start + 9 + length, rest.endIndex)
            frames.append(
                Frame(
                    kind: rest[start + 3], stream: rest[start + 8],
                    payload: Bytes(rest[(start + 9)..<end])))
            rest = rest[end...]
        }
        return frames
    }

    /// What a server answers to requests of streams 1, 3, 5, …
    private func answers(_ requests: [(Int) -> Bytes]) async throws -> [Frame] {
        var bytes = Bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(4, 0, 0, [])
        for (number, request) in requests.enumerated() { bytes += request(2 * number + 1) }
        bytes += Self.frame(Self.goAway, 0, 0, Bytes(repeating: 0, count: 8))
        let sent = bytes
        return try await withServer(describing) { server, _ in
            Self.frames(try await exchangeRaw(sent, port: server.port))
        }
    }

    @Test func `What does not keep to RFC 9113 is reset`() async throws {
        typealias Fields = [(String, String)]
        let heads: [Fields] = [
            [("transfer-encoding", "chunked")], [("connection", "close")], [("upgrade", "x")],
            [("X-Upper", "1")], [("content-length", "-3")], [("content-length", "3x")],
            [("content-length", "3"), ("content-length", "3")], [("content-length", "4")],
            [("content-length", "2")], [("content-length", "0")],
        ]
        var requests: [(Int) -> Bytes] = heads.map { head in { Self.request($0, head) } }
        requests.append { Self.request($0, [], trailers: [(":path", "/")]) }
        requests.append { Self.request($0, [], trailers: [("connection", "close")]) }
        requests.append {
            Self.request($0, [], trailers: [("x-a", "1")], trailersFlags: Self.endHeaders)
        }
        let answers = try await answers(requests)
        for number in requests.indices {
            let answer = answers.filter { $0.stream == 2 * number + 1 }
            #expect(answer.map(\.kind) == [Self.reset], "request \(number)")
            #expect(answer.first?.payload == [0, 0, 0, 1], "request \(number)")
        }
    }

    @Test func `What keeps to it is served`() async throws {
        let answers = try await answers([
            {
                Self.request(
                    $0, [("content-length", "3"), ("te", "Trailers"), ("x-a", "\u{e9}\t")])
            },
            { Self.request($0, [], body: 0, trailers: [("x-a", "1")]) },
            { Self.request($0, [("host", "other")], body: 300) },
        ])
        for stream in [1, 3, 5] as [UInt8] {
            let answer = answers.filter { $0.stream == stream }
            #expect(answer.map(\.kind) == [Self.headers, Self.data], "stream \(stream)")
        }
    }
}
