import Basics
import EtcdAPI
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
