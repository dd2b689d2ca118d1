import Basics
import EtcdAPI
import EtcdMessages
import HTTP
import Keyspace
import NIOPosix
import Store
import TestSupport
import Testing

/// What a watch stream answers to each request on it, and calls that want a leader.
@Suite(.timeLimit(.minutes(1)))
struct WatchWireTests {
    /// What came, in order.
    private final class Ear: GRPCClientReceiver {
        private struct State {
            var responses: [WatchStreamResponse] = []
            var status: GRPCStatus?
        }

        private let state = Locked(State())

        func receive(_ message: Bytes) {
            guard let response = try? WatchStreamResponse(protobuf: message) else { return }
            state.withLock { $0.responses.append(response) }
        }

        func finished(_ status: GRPCStatus) { state.withLock { $0.status = status } }

        var status: GRPCStatus? { state.withLock { $0.status } }
        var responses: [WatchStreamResponse] { state.withLock { $0.responses } }

        func responses(_ count: Int) async throws -> [WatchStreamResponse] {
            while responses.count < count { try await Task.sleep(for: .milliseconds(1)) }
            return responses
        }
    }

    private func withChannel(
        _ store: any Store, electionMilliseconds: UInt64 = 300,
        progressMilliseconds: UInt64 = EtcdAPI.progressNotify,
        _ body: (GRPCChannel) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await HTTPServer.start(
            host: "127.0.0.1", port: 0, group: group,
            handler: EtcdAPI.handler(
                store: store, electionMilliseconds: electionMilliseconds,
                progressMilliseconds: progressMilliseconds))
        let channel = GRPCChannel(
            endpoints: [.init(host: "127.0.0.1", port: server.port)], tls: nil, group: group)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(channel)) } catch { outcome = .failure(error) }
        channel.close()
        await server.stop()
        try outcome.get()
    }

    private func create(
        _ range: KeyRange, start: Int64 = 0, id: Int64 = 0
    ) -> WatchStreamRequest {
        var request = WatchCreateRequest(WatchRequest(range, startRevision: start))
        request.watchID = id
        return .create(request)
    }

    @Test func `What cannot be watched is refused without an id`() async throws {
        let store = try KeyspaceStore()
        defer { store.close() }
        try await withChannel(store) { channel in
            let ear = Ear()
            let stream = channel.stream("/etcdserverpb.Watch/Watch", receiver: ear)
            let a = bytes("a")
            let requests: [WatchStreamRequest] = [
                create(.key(a), id: 7),
                create(.key(a), id: 7),
                create(.key(a), start: -1, id: 8),
                create(KeyRange(start: bytes("b"), end: .before(a)), id: 9),
                create(KeyRange(start: a, end: .before(a)), id: 9),
                // No reason to end the stream.
                .other,
                create(.key(a), id: 9),
            ]
            for request in requests { stream.send(request.protobufBytes) }
            let found = try await ear.responses(6)
            let refusals = found.filter(\.canceled)
            #expect(refusals.allSatisfy { $0.watchID == -1 && $0.created })
            #expect(
                refusals.map(\.cancelReason) == [
                    "mvcc: duplicate watch ID provided on the WatchStream",
                    "etcdserver: mvcc: required revision has been compacted",
                    "mvcc: watcher range is empty", "mvcc: watcher range is empty",
                ])
            let made = found.filter { !$0.canceled }
            #expect(made.map(\.watchID) == [7, 9] && made.allSatisfy(\.created))
            stream.cancel()
        }
    }

    /// The question comes before the store has said where a watcher of the stream begins.
    @Test func `Progress that is asked for at once is told`() async throws {
        let store = try KeyspaceStore()
        defer { store.close() }
        try await withChannel(store) { channel in
            let ear = Ear()
            let stream = channel.stream("/etcdserverpb.Watch/Watch", receiver: ear)
            for _ in 0..<2 { stream.send(create(.key(bytes("a"))).protobufBytes) }
            stream.send(WatchStreamRequest.progress.protobufBytes)
            let first = try await ear.responses(3)
            #expect(first.contains { $0.watchID == -1 && !$0.created && $0.events.isEmpty })
            stream.send(WatchStreamRequest.progress.protobufBytes)
            let second = try await ear.responses(4)
            #expect(second[3].watchID == -1 && second[3].events.isEmpty)
            stream.cancel()
        }
    }

    @Test func `A quiet watcher that asked for it is told how far it is`() async throws {
        let store = try KeyspaceStore()
        defer { store.close() }
        try await withChannel(store, progressMilliseconds: 20) { channel in
            let (ear, other) = (Ear(), Ear())
            let told = channel.stream("/etcdserverpb.Watch/Watch", receiver: ear)
            let untold = channel.stream("/etcdserverpb.Watch/Watch", receiver: other)
            var request = WatchCreateRequest(WatchRequest(.key(bytes("a"))))
            untold.send(WatchStreamRequest.create(request).protobufBytes)
            request.wantsProgress = true
            told.send(WatchStreamRequest.create(request).protobufBytes)
            let revision = try await store.put("b", "1")
            while try await ear.responses(2).last?.header.revision != revision {
                try await Task.sleep(for: .milliseconds(1))
            }
            let found = ear.responses.dropFirst()
            #expect(found.allSatisfy { $0.watchID == 0 && !$0.created && $0.events.isEmpty })
            #expect(other.responses.count == 1)
            told.cancel()
            untold.cancel()
        }
    }

    @Test func `Without a leader calls that want one are refused, and streams end`() async throws {
        let store = try KeyspaceStore()
        defer { store.close() }
        try await withChannel(store, electionMilliseconds: 20) { channel in
            let (wanting, other) = (Ear(), Ear())
            let first = channel.stream(
                "/etcdserverpb.Watch/Watch", receiver: wanting, headers: ["hasleader": "true"])
            let second = channel.stream("/etcdserverpb.Watch/Watch", receiver: other)
            for stream in [first, second] {
                stream.send(create(.key(bytes("a"))).protobufBytes)
            }
            _ = try await wanting.responses(1)
            _ = try await other.responses(1)
            #expect(wanting.status == nil)
            store.leaderID = 0
            while wanting.status == nil { try await Task.sleep(for: .milliseconds(1)) }
            let noLeader = GRPCStatus(.unavailable, "etcdserver: no leader")
            #expect(wanting.status == noLeader)
            #expect(other.status == nil)
            let late = Ear()
            let third = channel.stream(
                "/etcdserverpb.Watch/Watch", receiver: late, headers: ["hasleader": "true"])
            while late.status == nil { try await Task.sleep(for: .milliseconds(1)) }
            #expect(late.status == noLeader)
            third.cancel()
            second.cancel()
        }
    }
}
