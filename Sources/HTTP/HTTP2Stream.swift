import Basics
import NIOCore
import Synchronization

/// One request over HTTP/2, on either side.
///
/// The `loop…` members belong to the event loop; the protocol's members may be called from any
/// thread and cross over through the loop's mailbox, many at a time.
final class HTTP2Stream: HTTPServerStream, HTTPClientStream, @unchecked Sendable {
    let connection: HTTP2Connection
    /// Bytes sent and not yet taken by nghttp2, those still in the mailbox included.
    private let buffered = Atomic<Int>(0)

    // Event loop only.
    var loopID: Int32
    var loopReceiver: (any HTTPRequestReceiver)?
    var loopResponseReceiver: (any HTTPResponseReceiver)?
    var loopQueue = BufferQueue()
    /// The part of `buffered` that has crossed over.
    var loopQueuedBytes = 0
    var loopHasHead = false
    var loopIsEnded = false
    var loopTrailers: HTTPHeaders?
    var loopIsDeferred = false
    var loopSentEnd = false
    var loopRemoteEnded = false
    var loopIsClosed = false
    var loopDropsBody = false
    var loopUnconsumed = 0
    /// What is missing of a body whose length was announced.
    var loopBodyBytesLeft: Int?
    /// The request is malformed: it is reset, and its handler hears no more of it.
    var loopIsRefused = false
    var loopWritableCallbacks: [@Sendable () -> Void] = []
    /// Counts only while something waits.
    var loopLastProgress = NIODeadline.uptimeNanoseconds(0)

    init(_ connection: HTTP2Connection, id: Int32) {
        self.connection = connection
        loopID = id
    }

    enum Command {
        case open(HTTPClientRequest, endsRequest: Bool, any HTTPResponseReceiver)
        case head(status: Int, HTTPHeaders)
        case data(ByteBuffer)
        case end(trailers: HTTPHeaders)
        case respond(status: Int, HTTPHeaders, ByteBuffer?, trailers: HTTPHeaders)
        case reset(UInt32)
        case consumed(Int)
        case whenWritable(@Sendable () -> Void)
    }

    var eventLoop: any EventLoop { connection.eventLoop }
    var workQueue: (any WorkQueue)? { connection.mailbox }
    var bufferedBytes: Int { buffered.load(ordering: .relaxed) }

    func sendHead(status: Int, headers: HTTPHeaders) {
        connection.perform(.head(status: status, headers), on: self)
    }

    func send(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        addBuffered(bytes.readableBytes)
        connection.perform(.data(bytes), on: self)
    }

    func respond(status: Int, headers: HTTPHeaders, body: ByteBuffer?, trailers: HTTPHeaders) {
        if let body { addBuffered(body.readableBytes) }
        connection.perform(.respond(status: status, headers, body, trailers: trailers), on: self)
    }

    func end(trailers: HTTPHeaders) { connection.perform(.end(trailers: trailers), on: self) }
    func end() { end(trailers: [:]) }
    func reset() { connection.perform(.reset(HTTP2ErrorCode.internalError), on: self) }
    func cancel() { connection.perform(.reset(HTTP2ErrorCode.cancel), on: self) }
    func consumed(_ count: Int) { connection.perform(.consumed(count), on: self) }

    func whenWritable(_ callback: @escaping @Sendable () -> Void) {
        connection.perform(.whenWritable(callback), on: self)
    }

    var budget: MemoryBudget? { connection.limits.budget }

    private func addBuffered(_ count: Int) {
        budget?.take(count)
        buffered.wrappingAdd(count, ordering: .relaxed)
    }

    func subtractBuffered(_ count: Int) {
        budget?.give(count)
        buffered.wrappingSubtract(count, ordering: .relaxed)
    }

    /// Moves queued bytes into nghttp2's frame.
    func loopRead(into target: UnsafeMutableRawBufferPointer) -> HTTP2Session.ReadResult {
        var copied = 0
        while copied < target.count, !loopQueue.isEmpty {
            unsafe copied += loopQueue.read(
                into: UnsafeMutableRawBufferPointer(rebasing: target[copied...]))
        }
        if copied > 0 {
            loopQueuedBytes -= copied
            subtractBuffered(copied)
            if !loopQueue.isEmpty { loopLastProgress = .now() }
        }
        if loopQueue.isEmpty, loopIsEnded {
            return HTTP2Session.ReadResult(count: copied, isEnd: true, trailers: loopTrailers)
        }
        guard copied > 0 else {
            loopIsDeferred = true
            return HTTP2Session.ReadResult(count: 0, isDeferred: true)
        }
        return HTTP2Session.ReadResult(count: copied)
    }

    /// Drops what waits to be sent.
    func loopDropQueue() -> Int {
        let dropped = loopQueuedBytes
        loopQueue.removeAll()
        loopQueuedBytes = 0
        subtractBuffered(dropped)
        return dropped
    }
}
