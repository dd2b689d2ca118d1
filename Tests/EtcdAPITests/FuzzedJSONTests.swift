import Basics
import Documents
import EtcdAPI
import HTTP
import NIOCore
import NIOPosix
import Testing

/// The same as `FuzzedRequestTests` through the JSON gateway.
@Suite(.timeLimit(.minutes(3)))
struct FuzzedJSONTests {
    private static let paths = GatewayRoute.all.keys.sorted()
    private static let calls: [String: FuzzedCall] = Dictionary(
        uniqueKeysWithValues: FuzzedCall.all.map { ($0.method, $0) })

    /// A snapshot is asked for by nobody else than `MessagelessCallTests`.
    private static let snapshotPath = "/v3/maintenance/snapshot"

    @Test(arguments: [1, 2] as [UInt64]) func json(seed: UInt64) async throws {
        try await withServedStore { _, port in
            let client = try await HTTPClientConnection.connect(
                host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
            defer { client.close() }
            var maker = RequestMaker(seed: seed)
            for round in 0..<40 {
                for path in Self.paths where path != Self.snapshotPath {
                    let route = try #require(GatewayRoute.all[path])
                    let fuzzed = try #require(Self.calls[route.method])
                    if fuzzed.isCostly, round % 4 != 0 { continue }
                    let text = maker.json(route.request)
                    if fuzzed.isStream {
                        try await converse(client, path, fuzzed, text)
                    } else {
                        try await ask(client, path, fuzzed, text)
                    }
                }
            }
        }
    }

    private func ask(
        _ client: HTTPClientConnection, _ path: String, _ fuzzed: FuzzedCall, _ text: String
    ) async throws {
        let response = try await client.request(
            HTTPClientRequest(method: "POST", target: path), body: Bytes(text.utf8))
        let answer = try JSON.parse(response.body)
        guard response.status != 200 else { return }
        let isKnown = [400, 401, 403, 404, 429, 500, 503].contains(response.status)
        #expect(isKnown, "\(path) \(text): \(response.status)")
        fuzzed.check(try status(of: answer, code: "code"), text)
    }

    /// What comes until another call is answered, and then the call is given up.
    private func converse(
        _ client: HTTPClientConnection, _ path: String, _ fuzzed: FuzzedCall, _ text: String
    ) async throws {
        let ear = LineEar()
        let stream = client.open(
            HTTPClientRequest(method: "POST", target: path), endsRequest: false, receiver: ear)
        ear.begin(stream)
        if !text.isEmpty { stream.send(ByteBuffer(string: text)) }
        stream.end()
        _ = try await client.request(
            HTTPClientRequest(method: "POST", target: "/v3/maintenance/status"))
        stream.cancel()
        let isWhole = try await ear.isWhole()
        for line in ear.lines(withLast: isWhole) {
            let answer = try JSON.parse(line)
            if let error = answer["error"], error["grpc_code"] != nil {
                fuzzed.check(try status(of: error, code: "grpc_code"), text)
            } else if answer["code"] != nil {
                fuzzed.check(try status(of: answer, code: "code"), text)
            } else {
                #expect(answer["result"] != nil || answer["header"] != nil, "\(path) \(text)")
            }
        }
    }

    private func status(of answer: JSON, code: String) throws -> GRPCStatus {
        let number = try #require(answer[code]?.intValue)
        let message = try #require(answer["message"]?.stringValue)
        return GRPCStatus(try #require(GRPCStatus.Code(rawValue: Int(number))), message)
    }
}

/// The lines of one answer, as far as they have come.
private final class LineEar: HTTPResponseReceiver {
    private struct State {
        var stream: (any HTTPClientStream)?
        var body = Bytes()
        var isWhole: Bool?
    }

    private let state = Locked(State())

    func begin(_ stream: any HTTPClientStream) { state.withLock { $0.stream = stream } }

    func receiveHead(status: Int, headers: HTTPHeaders) {}

    func receive(_ bytes: ByteBuffer) {
        let stream = state.withLock { state -> (any HTTPClientStream)? in
            state.body += bytes.readableBytesView
            return state.stream
        }
        stream?.consumed(bytes.readableBytes)
    }

    func receiveEnd(trailers: HTTPHeaders) { state.withLock { $0.isWhole = true } }
    func failed(_ error: HTTPError) { state.withLock { $0.isWhole = $0.isWhole ?? false } }

    /// Waits for the end; whether it was the answer's own.
    func isWhole() async throws -> Bool {
        while true {
            if let isWhole = state.withLock({ $0.isWhole }) { return isWhole }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// - Parameter withLast: An answer that was given up may end within a line.
    func lines(withLast: Bool) -> [Bytes] {
        let body = state.withLock { $0.body }
        let lines = body.split(separator: 0x0a, omittingEmptySubsequences: false)
        return lines.dropLast(withLast ? 0 : 1).filter { !$0.isEmpty }.map { Bytes($0) }
    }
}
