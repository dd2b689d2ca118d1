package import Basics
package import NIOCore
import Synchronization

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
    private let meter: GRPCCallMeter
    private let isOver = Atomic(false)

    init(_ stream: any HTTPServerStream, meter: GRPCCallMeter) {
        self.stream = stream
        self.meter = meter
    }

    package var eventLoop: any EventLoop { stream.eventLoop }
    package var budget: MemoryBudget? { stream.budget }

    /// Sends the response headers now instead of with the first message. Once, if at all;
    /// the router has done it when the handler is called.
    func start() {
        stream.sendHead(status: 200, headers: grpcResponseHeaders)
    }

    package func send(_ message: Bytes) {
        var buffer = ByteBufferAllocator().buffer(capacity: message.count + 5)
        buffer.writeGRPCMessage(message)
        meter.sent(messageBytes: message.count)
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

    /// Notes the end, once: a client may go away while its stream is being finished.
    func ended(_ code: GRPCStatus.Code) {
        if !isOver.exchange(true, ordering: .relaxed) { meter.ended(code) }
    }

    package func finish(_ status: GRPCStatus) {
        ended(status.code)
        stream.end(trailers: status.trailers)
    }
}
