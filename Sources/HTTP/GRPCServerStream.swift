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
package final class GRPCServerStream: @unchecked Sendable {
    // Sendable because `loopCall` is used on the event loop only.
    private let stream: any HTTPServerStream
    private let meter: GRPCCallMeter
    private let hasEnded = Atomic(false)
    /// Who gets the client's messages. Not the service's receiver: an object to which there is a
    /// weak reference is dear to hand about.
    weak var loopCall: GRPCStreamReceiver?

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
        send([], message)
    }

    /// Sends a message in two parts, so that nobody has to put them together first.
    package func send(_ head: Bytes, _ body: Bytes) {
        let count = head.count + body.count
        var buffer = ByteBufferAllocator().buffer(capacity: count + 5)
        buffer.writeGRPCPrefix(UInt32(count))
        buffer.writeBytes(head)
        buffer.writeBytes(body)
        meter.sent(messageBytes: count)
        stream.send(buffer)
    }

    /// False when the client is slow: send no more until `whenWritable` calls.
    package var isWritable: Bool { stream.isWritable }
    /// Whether the client has taken what was sent, but for little: `whenWritable` would call at
    /// once.
    package var isDrained: Bool { stream.bufferedBytes <= HTTPLimits.streamLowWaterBytes }

    /// Answered to the end, or the client is gone.
    package var isOver: Bool { hasEnded.load(ordering: .relaxed) }

    package func whenWritable(_ callback: @escaping @Sendable () -> Void) {
        stream.whenWritable(callback)
    }

    /// Notes the end, once: a client may go away while its stream is being finished.
    func ended(_ code: GRPCStatus.Code) {
        if !hasEnded.exchange(true, ordering: .relaxed) { meter.ended(code) }
    }

    package func finish(_ status: GRPCStatus) {
        ended(status.code)
        stream.end(trailers: status.trailers)
    }

    /// Ends the call whatever its receiver is about, which hears of it as if the client were gone.
    package func abort(_ status: GRPCStatus) {
        eventLoop.execute {
            guard !self.isOver else { return }
            guard let call = self.loopCall else { return self.finish(status) }
            call.fail(status)
        }
    }
}
