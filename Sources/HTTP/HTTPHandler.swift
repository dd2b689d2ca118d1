package import Basics
package import NIOCore

/// Answers requests. Everything here runs on the connection's event loop and must not block.
package protocol HTTPHandler: Sendable {
    /// A request begins. The handler may answer at once or keep `stream` and answer later, from
    /// any thread; what the receiver gets afterwards is the body.
    func handle(_ head: HTTPRequestHead, _ stream: any HTTPServerStream) -> any HTTPRequestReceiver
    /// What `handle` does for requests of this head, so that what the head alone decides is decided
    /// once for all of a connection that have the same.
    func beginning(_ head: HTTPRequestHead) -> HTTPRequestBeginning
}

/// Begins a request whose head is known; on its event loop.
package typealias HTTPRequestBeginning =
    @Sendable (any HTTPServerStream) -> any HTTPRequestReceiver

extension HTTPHandler {
    package func beginning(_ head: HTTPRequestHead) -> HTTPRequestBeginning {
        { handle(head, $0) }
    }
}

/// Gets the body of one request, on the event loop.
package protocol HTTPRequestReceiver: AnyObject {
    /// Bytes of the body. They count against the sender's window until the receiver gives them
    /// back with `HTTPServerStream.consumed`; a receiver that keeps up calls it at once.
    func receive(_ bytes: ByteBuffer)
    /// The body is complete.
    func receiveEnd()
    /// The client went away or reset the stream; nothing follows. Not called after a complete
    /// exchange. Whatever is sent from now on is dropped.
    func cancelled()
}

/// The answering half of one request. Every member may be used from any thread; calls of one
/// thread keep their order.
package protocol HTTPServerStream: AnyObject, Sendable {
    var eventLoop: any EventLoop { get }
    /// The event loop's, if it does work in turn with what it sends; nil: nobody asks for it.
    var workQueue: (any WorkQueue)? { get }
    /// Once, before anything else is sent.
    func sendHead(status: Int, headers: HTTPHeaders)
    /// Bytes are kept until the client's window takes them: watch `bufferedBytes`.
    func send(_ bytes: ByteBuffer)
    /// What requests and answers of the port take of the process's memory; nil: not counted.
    var budget: MemoryBudget? { get }
    /// Bytes sent and not yet taken by the connection.
    var bufferedBytes: Int { get }
    /// Calls back once, on the event loop, when the buffered bytes have fallen under the low-water
    /// mark, and at once if they are under it already. Not called once the stream is gone.
    func whenWritable(_ callback: @escaping @Sendable () -> Void)
    /// Ends the answer. Trailers go out on HTTP/2 only.
    func end(trailers: HTTPHeaders)
    /// Ends the stream as failed: RST_STREAM, or a closed connection in HTTP/1.1.
    func reset()
    /// Gives `count` received bytes back to the sender's window.
    func consumed(_ count: Int)
    /// Head, body and end in one step; the cheapest way to answer.
    func respond(status: Int, headers: HTTPHeaders, body: ByteBuffer?, trailers: HTTPHeaders)
}

extension HTTPServerStream {
    package var workQueue: (any WorkQueue)? { nil }
    package var budget: MemoryBudget? { nil }

    package func end() { end(trailers: [:]) }

    package func respond(status: Int, headers: HTTPHeaders, body: ByteBuffer?) {
        respond(status: status, headers: headers, body: body, trailers: [:])
    }

    /// Whether a sender that minds slow clients should go on.
    package var isWritable: Bool { bufferedBytes < HTTPLimits.streamHighWaterBytes }
}
