import Basics
import NIOCore
import NIOHTTP1
import Synchronization

/// One request over HTTP/1.1; the handler does the work on the event loop.
final class HTTP1Stream: HTTPServerStream, @unchecked Sendable {
    // Sendable because `handler` and the `loop…` members are used on the event loop only.
    let eventLoop: any EventLoop
    private let handler: HTTP1Handler
    private let buffered = Atomic<Int>(0)
    let budget: MemoryBudget?

    let loopIsKeptAlive: Bool
    let loopDropsBody: Bool
    var loopReceiver: (any HTTPRequestReceiver)?
    var loopHasHead = false
    var loopIsEnded = false
    var loopRequestEnded = false
    var loopUnconsumed = 0
    var loopCallbacks: [@Sendable () -> Void] = []

    init(
        _ handler: HTTP1Handler, on eventLoop: any EventLoop, _ head: NIOHTTP1.HTTPRequestHead,
        budget: MemoryBudget?
    ) {
        self.handler = handler
        self.budget = budget
        self.eventLoop = eventLoop
        loopIsKeptAlive = head.isKeepAlive
        loopDropsBody = head.method == .HEAD
    }

    var bufferedBytes: Int { buffered.load(ordering: .relaxed) }

    func addBuffered(_ count: Int) {
        if count > 0 { budget?.take(count) } else { budget?.give(-count) }
        buffered.wrappingAdd(count, ordering: .relaxed)
    }

    private func onLoop(_ body: @escaping @Sendable () -> Void) {
        if eventLoop.inEventLoop { body() } else { eventLoop.execute(body) }
    }

    func sendHead(status: Int, headers: HTTPHeaders) {
        onLoop { self.handler.sendHead(self, status, headers) }
    }

    func send(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        addBuffered(bytes.readableBytes)
        onLoop { self.handler.send(self, bytes) }
    }

    func end(trailers: HTTPHeaders) {
        onLoop { self.handler.end(self) }
    }

    func respond(status: Int, headers: HTTPHeaders, body: ByteBuffer?, trailers: HTTPHeaders) {
        if let body { addBuffered(body.readableBytes) }
        onLoop {
            var headers = headers
            if headers.first("content-length") == nil, status != 204, status != 304 {
                headers.add("content-length", "\(body?.readableBytes ?? 0)")
            }
            self.handler.sendHead(self, status, headers)
            if let body { self.handler.send(self, body) }
            self.handler.end(self)
        }
    }

    func reset() {
        onLoop { self.handler.reset(self) }
    }

    func consumed(_ count: Int) {
        onLoop { self.handler.consumed(self, count) }
    }

    func whenWritable(_ callback: @escaping @Sendable () -> Void) {
        onLoop {
            self.loopCallbacks.append(callback)
            self.handler.tellWritable(self)
        }
    }
}
