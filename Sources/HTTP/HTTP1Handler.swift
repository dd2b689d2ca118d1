import Basics
import NIOCore
import NIOHTTP1

/// Serves HTTP/1.1 behind NIO's decoder and encoder; one request at a time, which the pipelining
/// handler before it sees to.
final class HTTP1Handler: ChannelDuplexHandler, @unchecked Sendable {
    // Sendable because everything belongs to the event loop.
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPServerResponsePart

    private let limits: HTTPLimits
    private let service: HTTP2Connection.Service
    private let log: @Sendable (String) -> Void
    private var context: ChannelHandlerContext?
    private var current: HTTP1Stream?
    private var isReadHeld = false
    private var isFlushScheduled = false
    private var isDraining = false
    private var isClosed = false
    private var timer: Scheduled<Void>?
    private var lastActivity = NIODeadline.now()
    /// Bytes written to the channel and not yet gone.
    private var unwrittenBytes = 0
    /// What the channel held when its timer last looked.
    private var heldBytes = 0

    init(
        limits: HTTPLimits, service: HTTP2Connection.Service,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.limits = limits
        self.service = service
        self.log = log
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        startTimer(limits.handshakeTimeoutSeconds)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        tearDown()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // TLS still hands in what was on its way when the connection was closed.
        guard !isClosed else { return }
        lastActivity = .now()
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let bytes):
            guard let stream = current else { return }
            stream.loopUnconsumed += bytes.readableBytes
            guard !stream.loopIsEnded else { return dropAnswered(stream) }
            stream.loopReceiver?.receive(bytes)
        case .end:
            guard let stream = current else { return }
            stream.loopRequestEnded = true
            guard !stream.loopIsEnded else { return finish(stream) }
            stream.loopReceiver?.receiveEnd()
        }
    }

    /// What comes of a request after its answer is read, so that the connection can go on; a peer
    /// that does not come to an end is cut off.
    private func dropAnswered(_ stream: HTTP1Stream) {
        if stream.loopUnconsumed > HTTPLimits.droppedBodyBytesMax { close() }
    }

    private func begin(_ head: NIOHTTP1.HTTPRequestHead, _ context: ChannelHandlerContext) {
        let stream = HTTP1Stream(self, on: context.eventLoop, head, budget: limits.budget)
        current = stream
        if head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            let interim = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
        }
        var headers = HTTPHeaders()
        for (name, value) in head.headers { headers.add(name, value) }
        let (path, query) = HTTPRequestHead.split(target: head.uri)
        let request = HTTPRequestHead(
            method: head.method.rawValue, path: path, query: query, headers: headers,
            authority: headers.first("host") ?? "", isHTTP2: false, peer: service.peer)
        let receiver = service.handler.handle(request, stream)
        // It may have been answered by now, or broken off.
        if current === stream, !stream.loopIsEnded { stream.loopReceiver = receiver }
    }

    func read(context: ChannelHandlerContext) {
        if let current, current.loopUnconsumed > Int(limits.streamWindowBytes) {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    func consumed(_ stream: HTTP1Stream, _ count: Int) {
        stream.loopUnconsumed = max(0, stream.loopUnconsumed - count)
        if stream.loopUnconsumed <= Int(limits.streamWindowBytes) { resumeReading() }
    }

    // MARK: Answering

    func sendHead(_ stream: HTTP1Stream, _ status: Int, _ headers: HTTPHeaders) {
        guard !isClosed, current === stream, !stream.loopHasHead else { return }
        stream.loopHasHead = true
        var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status))
        for field in headers { head.headers.add(name: field.name, value: field.value) }
        if closesAfter(stream) { head.headers.add(name: "connection", value: "close") }
        context?.write(wrapOutboundOut(.head(head)), promise: nil)
        scheduleFlush()
    }

    private func closesAfter(_ stream: HTTP1Stream) -> Bool {
        isDraining || !stream.loopIsKeptAlive
    }

    func send(_ stream: HTTP1Stream, _ bytes: ByteBuffer) {
        let count = bytes.readableBytes
        guard let context, !isClosed, current === stream, stream.loopHasHead,
            !stream.loopIsEnded, !stream.loopDropsBody
        else { return stream.addBuffered(-count) }
        if unwrittenBytes == 0 { lastActivity = .now() }
        unwrittenBytes += count
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in
            self.unwrittenBytes -= count
            self.lastActivity = .now()
            stream.addBuffered(-count)
            self.tellWritable(stream)
        }
        context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: written)
        scheduleFlush()
    }

    func end(_ stream: HTTP1Stream) {
        guard !isClosed, current === stream, stream.loopHasHead, !stream.loopIsEnded else {
            return
        }
        stream.loopIsEnded = true
        stream.loopReceiver = nil
        stream.loopUnconsumed = 0
        resumeReading()
        let closes = closesAfter(stream)
        // The end lets the pipelining handler hand in the next request at once, so this one must
        // be over before. Some requests are answered at their head, and end later.
        if stream.loopRequestEnded { finish(stream) }
        let written = context?.eventLoop.makePromise(of: Void.self)
        if closes { written?.futureResult.whenComplete { _ in self.close() } }
        context?.write(wrapOutboundOut(.end(nil)), promise: written)
        scheduleFlush()
    }

    func reset(_ stream: HTTP1Stream) {
        if current === stream { close() }
    }

    func tellWritable(_ stream: HTTP1Stream) {
        guard !isClosed, current === stream else { return stream.loopCallbacks = [] }
        guard stream.bufferedBytes <= HTTPLimits.streamLowWaterBytes else { return }
        let callbacks = stream.loopCallbacks
        stream.loopCallbacks = []
        for callback in callbacks { callback() }
    }

    /// Both halves of the exchange are complete.
    private func finish(_ stream: HTTP1Stream) {
        stream.loopCallbacks = []
        current = nil
    }

    private func resumeReading() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }

    private func scheduleFlush() {
        guard !isFlushScheduled, let context else { return }
        isFlushScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.context?.flush()
        }
    }

    // MARK: Ending

    func channelInactive(context: ChannelHandlerContext) {
        tearDown()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError, current == nil, !isClosed else { return close() }
        complain("\(error)")
        var head = HTTPResponseHead(version: .http1_1, status: .badRequest)
        head.headers.add(name: "connection", value: "close")
        head.headers.add(name: "content-length", value: "0")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in self.close() }
    }

    /// Closes when the request that is open has been answered.
    func drain() {
        isDraining = true
        if current == nil { close() }
    }

    func close() {
        guard !isClosed else { return }
        let context = context
        tearDown()
        // What has been answered goes out first.
        context?.flush()
        context?.close(promise: nil)
    }

    private func tearDown() {
        guard !isClosed else { return }
        isClosed = true
        timer?.cancel()
        guard let stream = current else { return }
        current = nil
        stream.loopCallbacks = []
        let receiver = stream.loopReceiver
        stream.loopReceiver = nil
        if !stream.loopIsEnded { receiver?.cancelled() }
    }

    private func complain(_ what: String) {
        let address = context?.remoteAddress.map { "\($0)" } ?? "a peer"
        log("HTTP/1.1 from \(address): \(what); closing")
    }

    /// Closes the connection that says nothing, or takes nothing, for too long.
    private func startTimer(_ seconds: Int64) {
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: .seconds(seconds)) {
            self.noteProgress()
            let idle = NIODeadline.now() - self.lastActivity
            let limit: TimeAmount
            if self.unwrittenBytes > 0 {
                limit = .seconds(self.limits.writeTimeoutSeconds)
            } else if let stream = self.current {
                // A request that stalls half-way is cut; one that waits for its answer is not.
                limit = stream.loopRequestEnded ? .hours(24) : .seconds(60)
            } else {
                limit = .seconds(self.limits.idleTimeoutSeconds)
            }
            guard idle < limit else {
                if self.unwrittenBytes > 0 {
                    self.complain("nothing was read in \(self.limits.writeTimeoutSeconds) s")
                }
                return self.close()
            }
            self.startTimer(min(10, self.limits.writeTimeoutSeconds))
        }
    }

    /// A large answer is one write, which is done with its last byte: before that, what the channel
    /// holds tells whether the client reads.
    private func noteProgress() {
        let held = try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)
        guard let held, held > 0, held != heldBytes else { return }
        heldBytes = held
        lastActivity = .now()
    }
}
