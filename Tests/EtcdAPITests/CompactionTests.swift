import Basics
import EtcdAPI
import EtcdMessages
import HTTP
import Keyspace
import NIOPosix
import TestSupport
import Testing

/// `KV.Compact` as clients see it.
@Suite(.timeLimit(.minutes(1)))
struct CompactionTests {
    @Test func `A physical compaction answers when the file is clear`() async throws {
        let store = try KeyspaceStore()
        defer { store.close() }
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await HTTPServer.start(
            host: "127.0.0.1", port: 0, group: group, handler: EtcdAPI.handler(store: store))
        let channel = GRPCChannel(
            endpoints: [.init(host: "127.0.0.1", port: server.port)], tls: nil, group: group)
        // More than one write removes beside itself.
        var revision: Int64 = 0
        for _ in 0..<2000 { revision = try await store.put("a", "1") }
        let isAnswered = Locked(false)
        let answered = AsyncStream<Result<Bytes, GRPCStatus>>.makeStream()
        var request = CompactionRequest(revision: revision)
        request.isPhysical = true
        channel.unary(
            "/etcdserverpb.KV/Compact", request.protobufBytes, timeoutMilliseconds: 20_000
        ) { result in
            isAnswered.withLock { $0 = true }
            answered.continuation.yield(result)
        }
        while store.keyspace.compactRevision < revision {
            try await Task.sleep(for: .milliseconds(1))
        }
        while true {
            #expect(!isAnswered.withLock { $0 })
            guard try store.keyspace.compactStep(records: 400) else { break }
        }
        var answers = answered.stream.makeAsyncIterator()
        let result = try #require(await answers.next())
        #expect(try HeaderOnlyResponse(protobuf: try result.get()).header.revision == revision)
        channel.close()
        await server.stop()
    }
}
