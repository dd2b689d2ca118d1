package import Basics
package import NIOCore

/// Gets the messages of one streaming call, on the event loop.
package protocol GRPCMessageReceiver: AnyObject {
    func receive(_ message: Bytes)
    /// The client sends no more; the answer may go on.
    func receiveEnd()
    /// The client is gone.
    func cancelled()
}

/// The answering half of a streaming call; any thread.
package final class GRPCServerStream: Sendable {
    private let stream: any HTTPServerStream

    init(_ stream: any HTTPServerStream) {
        self.stream = stream
    }

    package var eventLoop: any EventLoop { stream.eventLoop }

    /// Sends the response headers now instead of with the first message. Once, if at all;
    /// the router has done it when the handler is called.
    func start() {
        stream.sendHead(status: 200, headers: grpcResponseHeaders)
    }

    package func send(_ message: Bytes) {
        var buffer = ByteBufferAllocator().buffer(capacity: message.count + 5)
        buffer.writeGRPCMessage(message)
        stream.send(buffer)
    }

    /// False when the client is slow: send no more until `whenWritable` calls.
    package var isWritable: Bool { stream.isWritable }
    /// Whether the client has taken what was sent, but for little: `whenWritable` would call at
    /// once.
    package var isDrained: Bool { stream.bufferedBytes <= HTTPLimits.streamLowWaterBytes }

    package func whenWritable(_ callback: @escaping @Sendable () -> Void) {
        stream.whenWritable(callback)
    }

    package func finish(_ status: GRPCStatus) {
        stream.end(trailers: status.trailers)
    }
}
