package import Basics
import NIOCore
import Synchronization

/// Sends the one message of a unary call in parts; any thread, one caller at a time.
///
/// A message that breaks off ends with a status other than OK: no client takes it for whole.
package final class GRPCMessageSender: Sendable {
    private let stream: any HTTPServerStream
    private let meter: GRPCCallMeter
    private let messageBytes: UInt32
    private let isFinished = Atomic(false)

    init(_ stream: any HTTPServerStream, _ meter: GRPCCallMeter, messageBytes: UInt32) {
        self.stream = stream
        self.meter = meter
        self.messageBytes = messageBytes
        stream.sendHead(status: 200, headers: grpcResponseHeaders)
        var prefix = ByteBufferAllocator().buffer(capacity: 5)
        prefix.writeGRPCPrefix(messageBytes)
        stream.send(prefix)
    }

    package var budget: MemoryBudget? { stream.budget }

    package func send(_ part: Bytes) {
        stream.send(ByteBuffer(bytes: part))
    }

    /// Calls back once, when the client has taken most of what was sent; never if it is gone.
    package func whenWritable(_ callback: @escaping @Sendable () -> Void) {
        stream.whenWritable(callback)
    }

    /// Nobody finishes an answer whose client has gone.
    deinit {
        if !isFinished.load(ordering: .relaxed) { meter.ended(.cancelled) }
    }

    package func finish(_ status: GRPCStatus) {
        isFinished.store(true, ordering: .relaxed)
        if status.code == .ok { meter.sent(messageBytes: Int(messageBytes)) }
        meter.ended(status.code)
        stream.end(trailers: status.trailers)
    }
}
