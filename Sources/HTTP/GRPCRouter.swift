package import Basics
import NIOCore

/// What a call says beside its messages; calls that say the same share it.
package final class GRPCContext: Sendable {
    package let path: String
    package let headers: HTTPHeaders
    package let peer: PeerIdentity?

    init(_ head: HTTPRequestHead) {
        path = head.path
        headers = head.headers
        peer = head.peer
    }
}

/// Answers one unary call; exactly once, from any thread.
package struct GRPCReply: Sendable {
    let call: GRPCUnaryCall

    private var stream: any HTTPServerStream { call.stream }
    private var meter: GRPCCallMeter { call.meter }

    /// Whether requests and answers take too much memory: an answer that can be asked for again
    /// is better not given.
    package var isOverloaded: Bool { stream.budget?.isExhausted ?? false }

    /// The thread on which an answer goes out without another hop.
    package var workQueue: (any WorkQueue)? { stream.workQueue }

    package func callAsFunction(_ message: Bytes) {
        self(message, [], [])
    }

    /// Answers with a message in three parts, so that nobody has to put them together first.
    package func callAsFunction(_ head: Bytes, _ body: Bytes, _ tail: Bytes) {
        let count = head.count + body.count + tail.count
        var buffer = ByteBufferAllocator().buffer(capacity: count + 5)
        buffer.writeGRPCPrefix(UInt32(count))
        buffer.writeBytes(head)
        buffer.writeBytes(body)
        buffer.writeBytes(tail)
        meter.sent(messageBytes: count)
        meter.ended(.ok)
        stream.respond(
            status: 200, headers: grpcResponseHeaders, body: buffer, trailers: grpcOKTrailers)
    }

    package func callAsFunction(_ status: GRPCStatus) {
        meter.ended(status.code)
        stream.respond(
            status: 200, headers: grpcResponseHeaders, body: nil, trailers: status.trailers)
    }

    /// Begins an answer of `messageBytes` bytes, which are sent in parts.
    package func begin(messageBytes: UInt32) -> GRPCMessageSender {
        GRPCMessageSender(stream, meter, messageBytes: messageBytes)
    }

    package func callAsFunction(_ result: Result<Bytes, GRPCStatus>) {
        switch result {
        case .success(let message): self(message)
        case .failure(let status): self(status)
        }
    }
}

let grpcResponseHeaders: HTTPHeaders = ["content-type": "application/grpc"]
let grpcOKTrailers: HTTPHeaders = ["grpc-status": "0"]

/// gRPC methods by path. A value: build it once and then serve it.
package struct GRPCRouter: HTTPHandler {
    package typealias Unary = @Sendable (Bytes, GRPCContext, GRPCReply) -> Void
    package typealias Stream = @Sendable (GRPCContext, GRPCServerStream) -> any GRPCMessageReceiver

    enum Method: Sendable {
        case unary(messageBytesMax: Int, Unary)
        case stream(messageBytesMax: Int, Stream)
    }

    private var methods: [String: (method: Method, metrics: GRPCMethodMetrics?)] = [:]
    private let metrics: GRPCMetrics?
    private let gate: (any GRPCCallGate)?

    /// - Parameters:
    ///   - metrics: Counts the calls of all methods; nil: nobody asks.
    ///   - gate: Asked about the calls that concern it.
    package init(metrics: GRPCMetrics? = nil, gate: (any GRPCCallGate)? = nil) {
        self.metrics = metrics
        self.gate = gate
    }

    /// A method with one message each way. `path` is `/package.Service/Method`; the handler runs
    /// on the event loop and answers through `GRPCReply` when it can.
    package mutating func unary(
        _ path: String, messageBytesMax: Int = grpcMessageBytesMax, _ handler: @escaping Unary
    ) {
        methods[path] = (
            .unary(messageBytesMax: messageBytesMax, handler), metrics?.add(path, .unary)
        )
    }

    /// A method with any number of messages each way; `kind` is what its callers see it as.
    package mutating func stream(
        _ path: String, kind: GRPCMethodMetrics.Kind = .serverStream,
        messageBytesMax: Int = grpcMessageBytesMax, _ handler: @escaping Stream
    ) {
        methods[path] = (
            .stream(messageBytesMax: messageBytesMax, handler),
            metrics?.add(path, kind)
        )
    }

    package func handle(
        _ head: HTTPRequestHead, _ stream: any HTTPServerStream
    ) -> any HTTPRequestReceiver {
        beginning(head)(stream)
    }

    package func beginning(_ head: HTTPRequestHead) -> HTTPRequestBeginning {
        guard head.method == "POST",
            head.headers.first("content-type")?.hasPrefix("application/grpc") == true
        else {
            return { stream in
                stream.respond(status: 415, headers: ["content-length": "0"], body: nil)
                return IgnoringReceiver(stream)
            }
        }
        guard let (method, metrics) = methods[head.path] else {
            let status = GRPCStatus(.unimplemented, unimplementedText(head.path))
            return { stream in
                stream.respond(
                    status: 200, headers: grpcResponseHeaders, body: nil, trailers: status.trailers)
                return IgnoringReceiver(stream)
            }
        }
        let context = GRPCContext(head)
        let gate = gate.flatMap { $0.concerns(head.headers) ? $0 : nil }
        switch method {
        case .unary(let bytesMax, let handler):
            return { stream in
                let meter = GRPCCallMeter(metrics, budget: stream.budget)
                return GRPCUnaryCall(context, stream, meter, bytesMax, gate, handler)
            }
        case .stream(let bytesMax, let handler):
            return { stream in
                let receiver = GRPCStreamReceiver(
                    context, stream, GRPCCallMeter(metrics), bytesMax, handler)
                if let gate { receiver.ask(gate) }
                return receiver
            }
        }
    }
}

/// The largest message taken unless a method says otherwise: etcd's request limit and 512 KiB
/// for what surrounds it, as etcd does.
package let grpcMessageBytesMax = Limits.requestBytesMax + 512 * 1024

/// grpc-go's words, which clients show to people.
private func unimplementedText(_ path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    guard parts.count == 2 else { return "malformed method name: \"\(path)\"" }
    return "unknown method \(parts[1]) for service \(parts[0])"
}
