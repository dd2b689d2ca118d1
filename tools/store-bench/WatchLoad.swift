import Basics
import EtcdMessages
import HTTP
import Keyspace
import NIOCore

/// Watchers of one prefix, and one writer: how many events arrive a second, and how late.
///
/// The value of each put is the time when it was sent; client and server share a clock.
final class WatchLoad: @unchecked Sendable {
    // Sendable because everything runs on one event loop.
    private let connections: [HTTPClientConnection]
    private let watchersEach: Int
    private var receivers: [WatchReceiver] = []
    private var created = 0
    private var times: [UInt32] = []
    private var expected = 0
    private var onCreated: (() -> Void)?
    private var onAll: (() -> Void)?
    private var failure = ""

    init(_ connections: [HTTPClientConnection], watchersEach: Int) {
        self.connections = connections
        self.watchersEach = watchersEach
    }

    func run(events: Int, valueBytes: Int) async throws -> String {
        let watchers = connections.count * watchersEach
        expected = watchers * events
        times.reserveCapacity(expected)
        let loop = connections[0].eventLoop
        await withCheckedContinuation { continuation in
            loop.execute {
                self.onCreated = { continuation.resume() }
                for connection in self.connections {
                    let receiver = WatchReceiver(self)
                    self.receivers.append(receiver)
                    receiver.open(connection, watchers: self.watchersEach)
                }
            }
        }
        let writer = connections[0]
        let start = MonotonicTime.now()
        await withCheckedContinuation { continuation in
            loop.execute {
                guard self.failure.isEmpty else { return continuation.resume() }
                self.onAll = { continuation.resume() }
                WatchWriter(self, writer, events: events, valueBytes: valueBytes).next()
            }
        }
        let seconds = Double(MonotonicTime.now().nanoseconds - start.nanoseconds) / 1e9
        return Report(
            times: times, failed: expected - times.count, firstFailure: failure,
            seconds: seconds, writes: events
        ).json
    }

    func watcherCreated() {
        created += 1
        guard created == connections.count * watchersEach else { return }
        onCreated?()
        onCreated = nil
    }

    func received(_ event: Event, at now: MonotonicTime) {
        var reader = ByteReader(event.keyValue.value)
        guard let sent: UInt64 = try? reader.readLittleEndian("time") else { return }
        times.append(UInt32(clamping: (now.nanoseconds - sent) / 1000))
        if times.count == expected { finish() }
    }

    /// Too early, unless everything has arrived.
    func ended(_ why: String) {
        guard times.count < expected else { return }
        failure = why
        onCreated?()
        onCreated = nil
        finish()
    }

    private func finish() {
        onAll?()
        onAll = nil
    }
}

/// One watch stream with some watchers.
final class WatchReceiver: HTTPResponseReceiver, @unchecked Sendable {
    private let load: WatchLoad
    private var stream: (any HTTPClientStream)?
    private var deframer = GRPCDeframer(messageBytesMax: 1 << 30)

    init(_ load: WatchLoad) {
        self.load = load
    }

    func open(_ connection: HTTPClientConnection, watchers: Int) {
        let head = HTTPClientRequest(
            method: "POST", target: "/etcdserverpb.Watch/Watch",
            headers: ["content-type": "application/grpc", "te": "trailers"])
        let stream = connection.open(head, endsRequest: false, receiver: self)
        self.stream = stream
        let request = WatchCreateRequest(WatchRequest(KeyRange.prefix(Workload.prefix)))
        for _ in 0..<watchers {
            var body = ByteBuffer()
            body.writeGRPCMessage(WatchStreamRequest.create(request).protobufBytes)
            stream.send(body)
        }
    }

    func receiveHead(status: Int, headers: HTTPHeaders) {}

    func receive(_ bytes: ByteBuffer) {
        stream?.consumed(bytes.readableBytes)
        deframer.append(bytes)
        let now = MonotonicTime.now()
        while let message = try? deframer.next() {
            guard let response = try? WatchStreamResponse(protobuf: message) else { continue }
            if response.created { load.watcherCreated() }
            for event in response.events { load.received(event, at: now) }
        }
    }

    func receiveEnd(trailers: HTTPHeaders) { load.ended("a watch ended: \(trailers.fields)") }
    func failed(_ error: HTTPError) { load.ended("a watch failed: \(error)") }
}

/// Puts one after the other.
final class WatchWriter: HTTPResponseReceiver, @unchecked Sendable {
    private let load: WatchLoad
    private let connection: HTTPClientConnection
    private var left: Int
    private let padding: Bytes
    private var stream: (any HTTPClientStream)?

    init(
        _ load: WatchLoad, _ connection: HTTPClientConnection, events: Int, valueBytes: Int
    ) {
        self.load = load
        self.connection = connection
        left = events
        padding = Bytes(repeating: 0x2e, count: max(0, valueBytes - 8))
    }

    func next() {
        guard left > 0 else { return }
        left -= 1
        var value = ByteWriter(reserving: 8 + padding.count)
        value.writeLittleEndian(MonotonicTime.now().nanoseconds)
        value.write(padding)
        let put = PutRequest(key: Workload.key(left % 1000), value: value.bytes)
        var body = ByteBuffer()
        body.writeGRPCMessage(put.protobufBytes)
        let head = HTTPClientRequest(
            method: "POST", target: "/etcdserverpb.KV/Put",
            headers: ["content-type": "application/grpc", "te": "trailers"])
        let stream = connection.open(head, endsRequest: false, receiver: self)
        self.stream = stream
        stream.send(body)
        stream.end()
    }

    func receiveHead(status: Int, headers: HTTPHeaders) {}
    func receive(_ bytes: ByteBuffer) { stream?.consumed(bytes.readableBytes) }
    func receiveEnd(trailers: HTTPHeaders) { next() }
    func failed(_ error: HTTPError) { load.ended("a put failed: \(error)") }
}
