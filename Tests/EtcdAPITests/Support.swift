import Basics
import EtcdAPI
import EtcdMessages
import HTTP
import Keyspace
import NIOPosix
import Store
import TestSupport

/// A keyspace in a folder of its own, served with etcd's API, and a remote store to ask it.
func withRemoteStore<Result>(
    gate: (node: String, inspector: any GateInspector)? = nil,
    changing change: ((inout GRPCRouter) -> Void)? = nil, patienceMilliseconds: UInt64 = 0,
    _ body: (RemoteStore, KeyspaceStore) async throws -> Result
) async throws -> Result {
    let store = try KeyspaceStore()
    let group = MultiThreadedEventLoopGroup.singleton
    let served: any Store =
        gate.map { GatedStore(store, node: $0.node, inspector: $0.inspector) }
        ?? store
    var router = GRPCRouter()
    EtcdAPI.register(on: &router, store: served)
    change?(&router)
    let handler: any HTTPHandler = change == nil ? EtcdAPI.handler(store: served) : router
    let server = try await HTTPServer.start(
        host: "127.0.0.1", port: 0, group: group, handler: handler)
    let channel = GRPCChannel(
        endpoints: [.init(host: "127.0.0.1", port: server.port)], tls: nil, group: group)
    let outcome: Swift.Result<Result, any Error>
    do {
        let remote = RemoteStore(
            channel: channel, patienceMilliseconds: patienceMilliseconds)
        outcome = .success(try await body(remote, store))
    } catch {
        outcome = .failure(error)
    }
    channel.close()
    await server.stop()
    store.close()
    return try outcome.get()
}

/// A keyspace in a folder of its own, served with everything that etcd's API has; the body gets the
/// port.
func withServedStore<Result>(
    tokens: TokenTable = TokenTable(), _ body: (KeyspaceStore, Int) async throws -> Result
) async throws -> Result {
    let store = try KeyspaceStore()
    let server = try await HTTPServer.start(
        host: "127.0.0.1", port: 0, group: MultiThreadedEventLoopGroup.singleton,
        handler: EtcdAPI.handler(
            store: store, admin: OneMember(store: store), auth: KeyspaceAuth(store),
            authOptions: EtcdAuthOptions(tokens: tokens)))
    let outcome: Swift.Result<Result, any Error>
    do {
        outcome = .success(try await body(store, server.port))
    } catch {
        outcome = .failure(error)
    }
    await server.stop()
    store.close()
    return try outcome.get()
}

/// A channel to a port of this machine, closed after the body.
func withChannel<Result>(
    _ port: Int, token: String? = nil, _ body: (GRPCChannel) async throws -> Result
) async throws -> Result {
    let channel = GRPCChannel(
        endpoints: [.init(host: "127.0.0.1", port: port)], tls: nil,
        group: MultiThreadedEventLoopGroup.singleton, token: token)
    defer { channel.close() }
    return try await body(channel)
}

extension GRPCChannel {
    /// One message each way.
    func call(_ method: String, _ message: Bytes = []) async -> Result<Bytes, GRPCStatus> {
        await withCheckedContinuation { continuation in
            unary(method, message, timeoutMilliseconds: 20_000) {
                continuation.resume(returning: $0)
            }
        }
    }

    /// How a call was refused; nil if it was not.
    func refusal(_ method: String, _ message: Bytes = []) async -> GRPCStatus? {
        if case .failure(let status) = await call(method, message) { return status }
        return nil
    }
}

extension KeyspaceStore {
    /// Root, and a user who may read and write from their name up to `d`, whatever became of them
    /// before; then turns auth on. The passwords' hashes are nobody's: tests make tokens without.
    func enableAuth(user: Bytes) {
        let auth = KeyspaceAuth(self)
        let changes: [AuthChange] = [
            .addUser(AuthState.root, passwordHash: [1]),
            .grantRole(user: AuthState.root, role: AuthState.root),
            .deleteUser(user), .addUser(user, passwordHash: [1]),
            .addRole(user), .grantRole(user: user, role: user),
            .grantPermission(
                role: user,
                Permission(.readWrite, KeyRange(etcdKey: user, rangeEnd: bytes("d")))),
            .enable(secret: [2]),
        ]
        for change in changes {
            // That something is there already, or is not, is no matter.
            auth.change(change, by: keyspace.auth.permit(AuthState.root)) { _ in }
        }
    }
}

/// Messages of one stream up to a bound, beyond which the rest is given up, and how it ended.
final class StreamEar: GRPCClientReceiver {
    private struct State {
        var messages: [Bytes] = []
        var status: GRPCStatus?
    }

    private static let messagesMax = 1000
    private let state = Locked(State())

    func receive(_ message: Bytes) {
        state.withLock { state in
            if state.messages.count < Self.messagesMax { state.messages.append(message) }
        }
    }

    func finished(_ status: GRPCStatus) { state.withLock { $0.status = status } }

    var messages: [Bytes] { state.withLock { $0.messages } }

    func messages(_ count: Int) async throws -> [Bytes] {
        while messages.count < count { try await Task.sleep(for: .milliseconds(1)) }
        return messages
    }

    /// Waits for the end.
    func status() async throws -> GRPCStatus {
        while true {
            if let status = state.withLock({ $0.status }) { return status }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}

func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }

extension Store {
    @discardableResult
    func put(_ key: String, _ value: String, lease: Int64 = 0) async throws -> Int64 {
        let request = PutRequest(key: bytes(key), value: bytes(value), lease: lease)
        return try await transaction(TransactionRequest(success: [.put(request)])).revision
    }

    func get(_ key: String) async throws -> String? {
        let found = try await range(RangeRequest(.key(bytes(key)))).keyValues.first
        return found.map { String(decoding: $0.value, as: UTF8.self) }
    }
}
