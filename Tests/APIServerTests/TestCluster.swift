import Documents
import APIServer
import Basics
import HTTP
import NIOCore
import NIOPosix
import Objects
import TestSupport
import Testing

/// An API server over a keyspace in a temporary directory, asked without sockets.
final class TestCluster: Sendable {
    let store: KeyspaceStore
    let server: APIServer
    private let handler: any HTTPHandler

    init() async throws {
        store = try KeyspaceStore()
        server = APIServer(store: store)
        handler = server.handler
        try await server.bootstrap()
    }

    deinit {
        store.close()
    }

    static let admin = PeerIdentity(commonName: "admin", organizations: ["system:masters"])

    struct Answer {
        var status: Int
        var headers: HTTPHeaders
        var body: Bytes

        var json: JSON { (try? JSON.parse(body)) ?? .null }
        var message: String { json["message"]?.stringValue ?? "" }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Asks and waits for the whole answer. `target` is a path and a query.
    func ask(
        _ method: String, _ target: String, _ body: JSON? = nil,
        type: String = "application/json", accept: String? = nil, peer: PeerIdentity? = admin
    ) async -> Answer {
        await ask(
            method, target, bytes: body?.bytes() ?? [], type: type, accept: accept, peer: peer)
    }

    func ask(
        _ method: String, _ target: String, bytes: Bytes, type: String = "application/json",
        accept: String? = nil, peer: PeerIdentity? = admin
    ) async -> Answer {
        let stream = begin(method, target, bytes: bytes, type: type, accept: accept, peer: peer)
        return await stream.answer()
    }

    /// Asks for something that goes on, such as a watch.
    func begin(
        _ method: String, _ target: String, bytes: Bytes = [], type: String = "application/json",
        accept: String? = nil, peer: PeerIdentity? = admin
    ) -> TestStream {
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        var headers: HTTPHeaders = [:]
        if !bytes.isEmpty { headers.add("content-type", type) }
        if let accept { headers.add("accept", accept) }
        let stream = TestStream()
        let head = HTTPRequestHead(
            method: method, path: parts[0], query: parts.count > 1 ? parts[1] : "",
            headers: headers, peer: peer)
        let receiver = handler.handle(head, stream)
        if !bytes.isEmpty { receiver.receive(ByteBuffer(bytes: bytes)) }
        receiver.receiveEnd()
        stream.onStop { receiver.cancelled() }
        return stream
    }

    /// Creates an object and insists that it worked.
    @discardableResult
    func create(_ path: String, _ json: JSON) async throws -> JSON {
        let answer = await ask("POST", path, json)
        try #require(answer.status == 201, "\(answer.text)")
        return answer.json
    }

    static let configMaps = "/api/v1/namespaces/default/configmaps"
    static let pods = "/api/v1/namespaces/default/pods"
    static let deployments = "/apis/apps/v1/namespaces/default/deployments"

    static func configMap(_ name: String, _ labels: JSON = [:], _ data: JSON = [:]) -> JSON {
        ["metadata": ["name": .string(name), "labels": labels], "data": data]
    }

    static func pod(_ name: String) -> JSON {
        [
            "metadata": ["name": .string(name)],
            "spec": ["containers": [["name": "c", "image": "i", "command": ["true"]]]],
        ]
    }

    static func deployment(_ name: String) -> JSON {
        let labels: JSON = ["app": .string(name)]
        return [
            "metadata": ["name": .string(name)],
            "spec": [
                "replicas": 2, "selector": ["matchLabels": labels],
                "template": [
                    "metadata": ["labels": labels],
                    "spec": ["containers": [["name": "c", "image": "i:1"]]],
                ],
            ],
        ]
    }
}

/// The answering half of one request, kept for the test to look at.
final class TestStream: HTTPServerStream {
    private struct State {
        var status = 0
        var headers = HTTPHeaders()
        var body = Bytes()
        var hasEnded = false
        var waiters:
            [(isMet: @Sendable (Bytes, Bool) -> Bool, wake: CheckedContinuation<Void, Never>)] = []
        var stop: (@Sendable () -> Void)?
    }

    let eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any()
    private let state = Locked(State())

    func onStop(_ stop: @escaping () -> Void) {
        // Called by the one test that owns the stream.
        nonisolated(unsafe) let stop = stop
        state.withLock { $0.stop = { unsafe stop() } }
    }

    /// The client goes away.
    func stop() {
        let stop = state.withLock { $0.stop }
        stop?()
    }

    func sendHead(status: Int, headers: HTTPHeaders) {
        change {
            $0.status = status
            $0.headers = headers
        }
    }

    func send(_ bytes: ByteBuffer) {
        let bytes = Bytes(bytes.readableBytesView)
        change { $0.body += bytes }
    }

    var bufferedBytes: Int { 0 }
    func whenWritable(_ callback: @escaping @Sendable () -> Void) { callback() }
    func end(trailers: HTTPHeaders) { change { $0.hasEnded = true } }
    func reset() { change { $0.hasEnded = true } }
    func consumed(_ count: Int) {}

    func respond(status: Int, headers: HTTPHeaders, body: ByteBuffer?, trailers: HTTPHeaders) {
        let bytes = body.map { Bytes($0.readableBytesView) } ?? []
        change {
            $0.status = status
            $0.headers = headers
            $0.body = bytes
            $0.hasEnded = true
        }
    }

    private func change(_ body: @Sendable (inout State) -> Void) {
        let woken = state.withLock { state in
            body(&state)
            let (bytes, ended) = (state.body, state.hasEnded)
            let met = state.waiters.filter { $0.isMet(bytes, ended) }.map(\.wake)
            state.waiters.removeAll { $0.isMet(bytes, ended) }
            return met
        }
        for continuation in woken { continuation.resume() }
    }

    private func wait(_ isMet: @escaping @Sendable (Bytes, Bool) -> Bool) async {
        await withCheckedContinuation { continuation in
            let already = state.withLock { state in
                if isMet(state.body, state.hasEnded) { return true }
                state.waiters.append((isMet, continuation))
                return false
            }
            if already { continuation.resume() }
        }
    }

    func answer() async -> TestCluster.Answer {
        await wait { _, ended in ended }
        return state.withLock {
            TestCluster.Answer(status: $0.status, headers: $0.headers, body: $0.body)
        }
    }

    /// The first `count` watch events, or fewer if the stream ends before.
    func events(_ count: Int) async -> [JSON] {
        await wait { body, ended in ended || body.count { $0 == 0x0a } >= count }
        let body = state.withLock { $0.body }
        return body.split(separator: 0x0a).prefix(count).compactMap { try? JSON.parse(Bytes($0)) }
    }
}
