package import Basics
import NIOCore

/// Sends the one message of a unary call in parts; any thread, one caller at a time.
///
/// A message that breaks off ends with a status other than OK: no client takes it for whole.
package final class GRPCMessageSender: Sendable {
    private let stream: any HTTPServerStream

    init(_ stream: any HTTPServerStream, messageBytes: UInt32) {
        self.stream = stream
        stream.sendHead(status: 200, headers: grpcResponseHeaders)
        var prefix = ByteBufferAllocator().buffer(capacity: 5)
        prefix.writeGRPCPrefix(messageBytes)
        stream.send(prefix)
    }

    package func send(_ part: Bytes) {
        stream.send(ByteBuffer(bytes: part))
    }

    /// Calls back once, when the client has taken most of what was sent; never if it is gone.
    package func whenWritable(_ callback: @escaping @Sendable () -> Void) {
        stream.whenWritable(callback)
    }

    package func finish(_ status: GRPCStatus) {
        stream.end(trailers: status.trailers)
    }
}
