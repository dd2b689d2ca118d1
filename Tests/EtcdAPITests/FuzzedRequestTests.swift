import Basics
import Documents
import EtcdAPI
import EtcdMessages
import HTTP
import Keyspace
import NIOPosix
import ReplicaCore
import Store
import TestSupport
import Testing

/// Every field of every request, with values that somebody may send: whatever comes, there is an
/// answer, and it is a status or a message of the right shape.
@Suite(.timeLimit(.minutes(3)))
struct FuzzedRequestTests {
    private static let methods: [GatewayRoute] = {
        var byName: [String: GatewayRoute] = [:]
        for route in GatewayRoute.all.values { byName[route.method] = route }
        return byName.keys.sorted().compactMap { byName[$0] }
    }()

    /// Calls that wait for others when all is well, and calls of any number of messages.
    private static func isStreaming(_ method: String) -> Bool {
        [
            "/etcdserverpb.Watch/Watch", "/etcdserverpb.Lease/LeaseKeepAlive",
            "/etcdserverpb.Maintenance/Snapshot", "/v3lockpb.Lock/Lock",
            "/v3electionpb.Election/Campaign", "/v3electionpb.Election/Observe",
        ].contains(method)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func protobuf(seed: UInt64) async throws {
        try await withServer { port in
            let channel = GRPCChannel(
                endpoints: [.init(host: "127.0.0.1", port: port)], tls: nil,
                group: MultiThreadedEventLoopGroup.singleton)
            defer { channel.close() }
            var maker = RequestMaker(seed: seed)
            for _ in 0..<40 {
                for route in Self.methods {
                    let message = maker.protobuf(route.request)
                    if Self.isStreaming(route.method) {
                        let stream = channel.stream(route.method, receiver: Deaf())
                        for _ in 0..<3 { stream.send(maker.protobuf(route.request)) }
                        stream.send(message)
                        if maker.isOdd() { stream.end() } else { stream.cancel() }
                        continue
                    }
                    let answer = await call(channel, route.method, message)
                    try check(answer, route, "\(message)")
                }
            }
            try await checkItStillServes(channel)
        }
    }

    @Test(arguments: [1, 2] as [UInt64]) func json(seed: UInt64) async throws {
        try await withServer { port in
            let client = try await HTTPClientConnection.connect(
                host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
            defer { client.close() }
            var maker = RequestMaker(seed: seed)
            let paths = GatewayRoute.all.keys.sorted().filter { path in
                GatewayRoute.all[path].map { !Self.isStreaming($0.method) } ?? false
            }
            for _ in 0..<40 {
                for path in paths {
                    guard let route = GatewayRoute.all[path] else { continue }
                    let text = maker.json(route.request)
                    let response = try await client.request(
                        HTTPClientRequest(method: "POST", target: path), body: Bytes(text.utf8))
                    let isKnown = [200, 400, 401, 403, 404, 408, 409, 429, 500, 501, 503]
                        .contains(response.status)
                    #expect(isKnown, "\(path) \(text): \(response.status)")
                    let answer = try? JSON.parse(response.body)
                    #expect(answer != nil, "\(path) \(text): \(response.body)")
                    if response.status != 200 {
                        #expect(answer?["message"]?.stringValue != nil, "\(path) \(text)")
                    }
                }
            }
        }
    }

    // MARK: Asking

    private func withServer(_ body: (Int) async throws -> Void) async throws {
        let store = try KeyspaceStore()
        let server = try await HTTPServer.start(
            host: "127.0.0.1", port: 0, group: MultiThreadedEventLoopGroup.singleton,
            handler: EtcdAPI.handler(store: store, admin: RefusingAdmin()))
        do {
            try await body(server.port)
        } catch {
            await server.stop()
            store.close()
            throw error
        }
        await server.stop()
        store.close()
    }

    private func call(
        _ channel: GRPCChannel, _ method: String, _ message: Bytes
    ) async -> Result<Bytes, GRPCStatus> {
        await withCheckedContinuation { continuation in
            channel.unary(method, message, timeoutMilliseconds: 20_000) {
                continuation.resume(returning: $0)
            }
        }
    }

    private func check(
        _ answer: Result<Bytes, GRPCStatus>, _ route: GatewayRoute, _ asked: String
    ) throws {
        switch answer {
        case .success(let message):
            #expect(
                isMessage(message, route.response), "\(route.method) \(asked): \(message)")
        case .failure(let status):
            #expect(status.code != .deadlineExceeded, "\(route.method) \(asked) has no answer")
            // grpc-go's answer to bytes that are no message.
            let isGarbage = status.message.hasPrefix("grpc: error unmarshalling request")
            #expect(
                status.code != .internalError || isGarbage, "\(route.method) \(asked): \(status)")
        }
    }

    /// Whether the fields are those of the message, and of their types.
    private func isMessage(_ bytes: Bytes, _ index: Int) -> Bool {
        let schema = GatewaySchema.etcd
        let message = schema.messages[index]
        var reader = ProtobufReader(bytes, message.name)
        do throws(DecodingFailure) {
            while let number = try reader.next() {
                guard let field = message.fields.first(where: { $0.number == number }) else {
                    return false
                }
                switch field.type {
                case .bytes, .string: _ = try reader.bytes()
                case .message(let inner):
                    if !isMessage(try reader.bytes(), inner) { return false }
                default: try reader.skip()
                }
            }
            return true
        } catch {
            return false
        }
    }

    private func checkItStillServes(_ channel: GRPCChannel) async throws {
        let store = RemoteStore(channel: channel)
        try await store.put("still", "here")
        #expect(try await store.get("still") == "here")
    }
}

private final class Deaf: GRPCClientReceiver {
    func receive(_ message: Bytes) {}
    func finished(_ status: GRPCStatus) {}
}

/// Takes every request, so that all of it is decoded, and does nothing.
private struct RefusingAdmin: StoreAdmin {
    func openSnapshot(
        _ form: SnapshotForm,
        _ done: @escaping @Sendable (Result<OpenedSnapshot, StoreError>) -> Void
    ) { done(.failure(.permissionDenied)) }
    func readSnapshot(_ token: UInt64, offset: UInt64, count: Int) -> Result<Bytes, StoreError> {
        .failure(.permissionDenied)
    }
    func closeSnapshot(_ token: UInt64) {}
    func changeMembers(
        _ request: MemberRequest, _ done: @escaping @Sendable (Result<UInt64, StoreError>) -> Void
    ) { done(.failure(.permissionDenied)) }
    func transferLeadership(
        to member: UInt64, _ done: @escaping @Sendable (Result<UInt64, StoreError>) -> Void
    ) { done(.failure(.permissionDenied)) }
    func hash(
        revision: Int64, _ done: @escaping @Sendable (Result<RevisionHash, StoreError>) -> Void
    ) { done(.failure(.permissionDenied)) }
    func scrub(_ done: @escaping @Sendable (Result<String, StoreError>) -> Void) {
        done(.failure(.permissionDenied))
    }
}
