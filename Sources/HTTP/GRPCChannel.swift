package import Basics
package import NIOCore

/// Gets what a streaming call answers, on the event loop; ends with one `finished`.
package protocol GRPCClientReceiver: AnyObject, Sendable {
    /// A message; its window is given back with `GRPCClientStream.consumed`.
    func receive(_ message: Bytes)
    func finished(_ status: GRPCStatus)
}

/// Calls to any one of several servers; reconnects with back-off.
package final class GRPCChannel: Sendable {
    package struct Endpoint: Sendable, Hashable {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    package init(endpoints: [Endpoint], tls: TLSClientOptions?, group: any EventLoopGroup) {
        fatalError("coming")
    }

    /// One message each way; any thread. `done` is called once, on the event loop.
    package func unary(
        _ path: String, _ message: Bytes, timeoutMilliseconds: Int64 = 10_000,
        done: @escaping @Sendable (Result<Bytes, GRPCStatus>) -> Void
    ) { fatalError("coming") }

    package func stream(_ path: String, receiver: any GRPCClientReceiver) -> GRPCClientStream {
        fatalError("coming")
    }

    package func close() { fatalError("coming") }
}

/// The asking half of a streaming call; any thread.
package final class GRPCClientStream: Sendable {
    package func send(_ message: Bytes) { fatalError("coming") }
    /// No more messages from this side.
    package func end() { fatalError("coming") }
    package func cancel() { fatalError("coming") }
    /// Gives the window of a received message back; `messageBytes` is the message's count.
    package func consumed(messageBytes: Int) { fatalError("coming") }
}
