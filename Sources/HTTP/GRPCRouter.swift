package import Basics
package import NIOCore

/// What a call says beside its messages.
package struct GRPCContext: Sendable {
    package var path: String
    package var headers: HTTPHeaders
    package var peer: PeerIdentity?
    package var eventLoop: any EventLoop
}

/// Answers one unary call; exactly once, from any thread.
package struct GRPCReply: Sendable {
    let stream: any HTTPServerStream

    package func callAsFunction(_ message: Bytes) {
        var buffer = ByteBufferAllocator().buffer(capacity: message.count + 5)
        buffer.writeGRPCMessage(message)
        stream.respond(
            status: 200, headers: grpcResponseHeaders, body: buffer, trailers: grpcOKTrailers)
    }

    package func callAsFunction(_ status: GRPCStatus) {
        stream.respond(
            status: 200, headers: grpcResponseHeaders, body: nil, trailers: status.trailers)
    }

    /// Begins an answer of `messageBytes` bytes, which are sent in parts.
    package func begin(messageBytes: UInt32) -> GRPCMessageSender {
        GRPCMessageSender(stream, messageBytes: messageBytes)
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

    private var methods: [String: Method] = [:]

    package init() {}

    /// A method with one message each way. `path` is `/package.Service/Method`; the handler runs
    /// on the event loop and answers through `GRPCReply` when it can.
    package mutating func unary(
        _ path: String, messageBytesMax: Int = grpcMessageBytesMax, _ handler: @escaping Unary
    ) {
        methods[path] = .unary(messageBytesMax: messageBytesMax, handler)
    }

    /// A method with any number of messages each way.
    package mutating func stream(
        _ path: String, messageBytesMax: Int = grpcMessageBytesMax, _ handler: @escaping Stream
    ) {
        methods[path] = .stream(messageBytesMax: messageBytesMax, handler)
    }

    package func handle(
        _ head: HTTPRequestHead, _ stream: any HTTPServerStream
    ) -> any HTTPRequestReceiver {
        guard head.method == "POST",
            head.headers.first("content-type")?.hasPrefix("application/grpc") == true
        else {
            stream.respond(status: 415, headers: ["content-length": "0"], body: nil)
            return IgnoringReceiver(stream)
        }
        guard let method = methods[head.path] else {
            let text = unimplementedText(head.path)
            GRPCReply(stream: stream)(GRPCStatus(.unimplemented, text))
            return IgnoringReceiver(stream)
        }
        let context = GRPCContext(
            path: head.path, headers: head.headers, peer: head.peer, eventLoop: stream.eventLoop)
        switch method {
        case .unary(let bytesMax, let handler):
            return GRPCUnaryReceiver(context, stream, bytesMax, handler)
        case .stream(let bytesMax, let handler):
            return GRPCStreamReceiver(context, stream, bytesMax, handler)
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
