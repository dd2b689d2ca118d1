import Basics
import EtcdAPI
import EtcdMessages
import HTTP
import Keyspace
import NIOCore
import NIOPosix
import Store
import TestSupport
import Testing

/// Watch streams whose clients take nothing for a while.
@Suite(.timeLimit(.minutes(1)))
struct StalledWatchTests {
    /// The server's side of a stream. The client takes what is buffered when the test says so.
    private final class Stream: HTTPServerStream {
        private struct State {
            var sent = Bytes()
            var buffered = 0
            var most = 0
            var callbacks: [@Sendable () -> Void] = []
            var hasEnded = false
        }

        let eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
        private let state = Locked(State())

        var bufferedBytes: Int { state.withLock { $0.buffered } }
        var most: Int { state.withLock { $0.most } }
        var hasEnded: Bool { state.withLock { $0.hasEnded } }

        func send(_ bytes: ByteBuffer) {
            state.withLock { state in
                state.sent += bytes.readableBytesView
                state.buffered += bytes.readableBytes
                state.most = max(state.most, state.buffered)
            }
        }

        func whenWritable(_ callback: @escaping @Sendable () -> Void) {
            let isNow = state.withLock { state in
                if state.buffered > HTTPLimits.streamLowWaterBytes {
                    state.callbacks.append(callback)
                    return false
                }
                return true
            }
            if isNow { callback() }
        }

        func takeAll() {
            eventLoop.execute {
                let callbacks = self.state.withLock { state in
                    state.buffered = 0
                    defer { state.callbacks = [] }
                    return state.callbacks
                }
                for callback in callbacks { callback() }
            }
        }

        func sendHead(status: Int, headers: HTTPHeaders) {}
        func end(trailers: HTTPHeaders) { state.withLock { $0.hasEnded = true } }
        func reset() {}
        func consumed(_ count: Int) {}
        func respond(status: Int, headers: HTTPHeaders, body: ByteBuffer?, trailers: HTTPHeaders) {}

        /// What was sent, message by message.
        func responses() throws -> [WatchStreamResponse] {
            var rest = state.withLock { $0.sent }[...]
            var found: [WatchStreamResponse] = []
            while rest.count >= 5 {
                let length = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
                found.append(
                    try WatchStreamResponse(protobuf: Bytes(rest.dropFirst(5).prefix(length))))
                rest = rest.dropFirst(5 + length)
            }
            return found
        }
    }

    private func put(_ store: any Store, _ number: Int, valueBytes: Int) async throws {
        let value = Bytes(repeating: 1, count: valueBytes)
        let put = PutRequest(key: bytes("w\(10_000 + number)"), value: value)
        _ = try await store.transaction(TransactionRequest(success: [.put(put)]))
    }

    @Test(arguments: [1, 50])
    func `A stalled stream holds little, and gets everything later`(watchers: Int) async throws {
        let store = try KeyspaceStore()
        let handler = EtcdAPI.handler(store: store)
        let stream = Stream()
        let head = HTTPRequestHead(
            method: "POST", path: "/etcdserverpb.Watch/Watch",
            headers: ["content-type": "application/grpc"])
        try await stream.eventLoop.submit {
            let receiver = handler.handle(head, stream)
            for _ in 0..<watchers {
                let watch = WatchRequest(.prefix(bytes("w")), startRevision: 2)
                let message = WatchStreamRequest.create(WatchCreateRequest(watch)).protobufBytes
                var buffer = ByteBuffer(integer: UInt8(0))
                buffer.writeInteger(UInt32(message.count))
                buffer.writeBytes(message)
                receiver.receive(buffer)
            }
        }.get()
        for number in 0..<400 { try await put(store, number, valueBytes: 1_000) }
        // It stands still by itself: nothing more comes while nothing is taken.
        var last = -1
        while stream.bufferedBytes != last {
            last = stream.bufferedBytes
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(last > 0)
        while try stream.responses().reduce(0, { $0 + $1.events.count }) < 400 * watchers {
            stream.takeAll()
            try await Task.sleep(for: .milliseconds(1))
        }
        // The mark under which it is filled, and one round of pulls of at least 2 KiB or an event.
        let round = max(32 * 1024, watchers * (2 * 1024 + 1_100))
        #expect(stream.most <= HTTPLimits.streamLowWaterBytes + round)
        for watchID in 0..<Int64(watchers) {
            let events = try stream.responses().filter { $0.watchID == watchID }.flatMap(\.events)
            #expect(events.map(\.keyValue.modRevision) == (2...401).map { Int64($0) })
        }
        store.close()
    }

    private func framed(_ request: WatchStreamRequest) -> ByteBuffer {
        let message = request.protobufBytes
        var buffer = ByteBuffer(integer: UInt8(0))
        buffer.writeInteger(UInt32(message.count))
        buffer.writeBytes(message)
        return buffer
    }

    /// A large event on its way is no reason to refuse what the client asks meanwhile; answers
    /// without end, which it does not take, are.
    @Test func `Who takes nothing may ask for much, and not for everything`() async throws {
        let store = try KeyspaceStore()
        defer { store.close() }
        let handler = EtcdAPI.handler(store: store)
        let stream = Stream()
        let head = HTTPRequestHead(
            method: "POST", path: "/etcdserverpb.Watch/Watch",
            headers: ["content-type": "application/grpc"])
        let create = framed(
            .create(WatchCreateRequest(WatchRequest(.prefix(bytes("w")), startRevision: 2))))
        // Of a watcher that there is not, which counts all the same.
        let cancel = framed(.cancel(watchID: 77))
        try await put(store, 0, valueBytes: 1_000_000)
        let receiver = try await stream.eventLoop.submit {
            let receiver = Held(handler.handle(head, stream))
            receiver.value.receive(create)
            return receiver
        }.get()
        while stream.bufferedBytes < 1_000_000 { try await Task.sleep(for: .milliseconds(1)) }
        try await stream.eventLoop.submit {
            for _ in 0..<1_000 { receiver.value.receive(cancel) }
        }.get()
        #expect(!stream.hasEnded)
        try await stream.eventLoop.submit {
            for _ in 0..<60_000 { receiver.value.receive(cancel) }
        }.get()
        #expect(stream.hasEnded)
    }

    /// Used on the event loop alone.
    private struct Held: @unchecked Sendable {
        let value: any HTTPRequestReceiver

        init(_ value: any HTTPRequestReceiver) { self.value = value }
    }
}
