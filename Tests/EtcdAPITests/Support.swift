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
    _ body: (RemoteStore, KeyspaceStore) async throws -> Result
) async throws -> Result {
    let store = try KeyspaceStore()
    let group = MultiThreadedEventLoopGroup.singleton
    let served: any Store =
        gate.map { GatedStore(store, node: $0.node, inspector: $0.inspector) }
        ?? store
    let server = try await HTTPServer.start(
        host: "127.0.0.1", port: 0, group: group, handler: EtcdAPI.handler(store: served))
    let channel = GRPCChannel(
        endpoints: [.init(host: "127.0.0.1", port: server.port)], tls: nil, group: group)
    let outcome: Swift.Result<Result, any Error>
    do {
        outcome = .success(try await body(RemoteStore(channel: channel), store))
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
