import Basics
import NIOCore

/// One HTTP/2 connection under NIO, in either role.
///
/// Bytes come in, frames go out once per event-loop tick: whatever the handlers answer while a
/// batch of input is read, and whatever other threads have put into the loop's mailbox meanwhile,
/// leaves in one write.
final class HTTP2Connection: ChannelInboundHandler, @unchecked Sendable {
    // Sendable because all but the mailbox belongs to the event loop.
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What makes this side a server; nil for a client.
    final class Service: Sendable {
        let handler: any HTTPHandler
        let peer: PeerIdentity?

        init(handler: any HTTPHandler, peer: PeerIdentity?) {
            self.handler = handler
            self.peer = peer
        }
    }

    let eventLoop: any EventLoop
    /// What comes from other threads.
    let mailbox: LoopMailbox
    let limits: HTTPLimits
    let service: Service?
    /// For requests that this side makes.
    let authority: String
    let scheme: String
    private let log: @Sendable (String) -> Void

    private(set) var session: HTTP2Session?
    private var context: ChannelHandlerContext?
    var streams: [Int32: HTTP2Stream] = [:]
    /// The one that nghttp2 spoke of last, which it nearly always goes on with.
    var lastStream: HTTP2Stream?
    var intake = HTTP2HeadIntake()
    /// How a request is begun that has the header block of the last one; they are nearly always
    /// alike.
    var lastBeginning: HTTPRequestBeginning?
    var bufferedBytes = 0
    var writableStreams: [HTTP2Stream] = []
    private var isReading = false
    private var hasComplained = false
    private var isFlushing = false
    private var isFlushScheduled = false
    private var isDraining = false
    private(set) var isClosed = false
    /// What open requests are told.
    private var closeError = HTTPError.connectionClosed
    private var stallCheck: Scheduled<Void>?
    private var prefaceTimer: Scheduled<Void>?
    private var idleFrames: TokenBucket
    private var keepAlive: RepeatedTask?
    var awaitsPing = false
    /// The peer takes no more requests.
    var isGoingAway = false
    private var blockedSince: NIODeadline?
    private var closeCallbacks: [@Sendable () -> Void] = []

    /// A server, if `service` is given.
    init(
        mailbox: LoopMailbox, limits: HTTPLimits, service: Service?, authority: String = "",
        scheme: String = "http", log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.mailbox = mailbox
        eventLoop = mailbox.eventLoop
        self.limits = limits
        self.service = service
        self.authority = authority
        self.scheme = scheme
        self.log = log
        idleFrames = TokenBucket(
            burst: limits.idleFrameBurst, perSecond: limits.idleFramesPerSecond, now: .now())
        if service == nil { closeError = .connectionClosed(authority) }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        session = HTTP2Session(
            role: service == nil ? .client : .server, limits: limits, delegate: self)
        if service == nil { startKeepAlive() } else { awaitPreface() }
        if context.channel.isActive { scheduleFlush() }
    }

    func channelActive(context: ChannelHandlerContext) {
        scheduleFlush()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        isReading = true
        let failure = WakeBatch.whole { session?.receive(bytes) }
        isReading = false
        awaitsPing = false
        if let failure {
            complain(failure)
            flush()
            close()
        }
    }

    /// One line about a peer that does not keep to the protocol; one for the whole connection.
    func complain(_ what: String, closes: Bool = true) {
        guard !hasComplained else { return }
        hasComplained = true
        let peer = context?.remoteAddress.map { "\($0)" } ?? "a peer"
        log("HTTP/2 from \(peer): \(what)" + (closes ? "; closing" : ""))
    }

    /// TLS may say that HTTP/2 comes, and then nothing does.
    private func awaitPreface() {
        let seconds = limits.handshakeTimeoutSeconds
        let eventLoop = eventLoop.assumeIsolated()
        // Cancelled when the connection ends; a weak reference would make every other one dear.
        prefaceTimer = eventLoop.scheduleTask(in: .seconds(seconds)) {
            self.complain("no settings in \(seconds) s")
            self.close()
        }
    }

    func settingsReceived() {
        prefaceTimer?.cancel()
        prefaceTimer = nil
    }

    /// A frame came that asks for nothing. Few cost little; floods of them cost the others.
    func idleFrameReceived(cost: UInt64) {
        guard service != nil, !idleFrames.take(cost, now: .now()) else { return }
        complain("a flood of frames that ask for nothing")
        session?.terminate(errorCode: HTTP2ErrorCode.enhanceYourCalm)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { flush() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        tearDown()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        tearDown()
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A server finds fault with a client's certificate when the client has done its part of
        // the handshake already.
        if service == nil {
            closeError = .connectionClosed(authority, ": " + TLSFailure.text(error))
        }
        close()
    }

    // MARK: Crossing over

    /// Runs a command on the event loop; at once if called there.
    func perform(_ command: HTTP2Stream.Command, on stream: HTTP2Stream) {
        if eventLoop.inEventLoop {
            apply(command, to: stream)
        } else {
            mailbox.send(command, to: stream)
        }
    }

    // MARK: Sending

    /// Sends what is waiting at the end of this tick.
    func scheduleFlush() {
        guard !isReading, !isFlushing, !isFlushScheduled, !isClosed else { return }
        isFlushScheduled = true
        mailbox.loopFlushLater(self)
    }

    private static let writeBytes = 128 * 1024

    func flush() {
        isFlushScheduled = false
        guard let context, let session, !isClosed, !isFlushing else { return }
        isFlushing = true
        // Some of what waited was read; a large answer fills the channel again below.
        if context.channel.isWritable { blockedSince = nil }
        var more = true
        while more, context.channel.isWritable, !isClosed {
            var out = context.channel.allocator.buffer(capacity: 4096)
            more = session.produce(into: &out, bytesMax: Self.writeBytes)
            if out.readableBytes > 0 {
                context.writeAndFlush(wrapOutboundOut(out), promise: nil)
            }
            if !more { more = tellWritable() }
        }
        blockedSince = context.channel.isWritable ? nil : blockedSince ?? .now()
        isFlushing = false
        if session.isOver { return close() }
        checkForStalls()
    }

    /// Lets senders go on whose bytes have left; true if they may have sent more.
    private func tellWritable() -> Bool {
        guard !writableStreams.isEmpty else { return false }
        let streams = writableStreams
        writableStreams = []
        for stream in streams {
            let callbacks = stream.loopWritableCallbacks
            stream.loopWritableCallbacks = []
            for callback in callbacks { callback() }
        }
        return true
    }

    /// Watches senders whose client takes nothing; costs nothing while nothing waits.
    private func checkForStalls() {
        guard stallCheck == nil, bufferedBytes > 0 || blockedSince != nil else { return }
        let timeout = TimeAmount.seconds(limits.writeTimeoutSeconds)
        stallCheck = eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.stallCheck = nil
            let oldest = NIODeadline.now() - timeout
            if let since = self.blockedSince, since <= oldest {
                self.complain("nothing was read in \(self.limits.writeTimeoutSeconds) s")
                return self.close()
            }
            for id in self.streams.keys.sorted() {
                guard let stream = self.streams[id], stream.loopQueuedBytes > 0,
                    stream.loopLastProgress <= oldest
                else { continue }
                self.complain("an answer is not taken: cancelled", closes: false)
                self.session?.submitReset(stream: id, errorCode: HTTP2ErrorCode.cancel)
            }
            self.flush()
        }
    }

    // MARK: Ending

    /// Takes no more requests and closes when the open ones have ended.
    func drain() {
        guard !isDraining, !isClosed else { return }
        isDraining = true
        session?.submitGoAway()
        scheduleFlush()
    }

    func close() {
        guard !isClosed else { return }
        let context = context
        tearDown()
        context?.close(promise: nil)
    }

    func onClose(_ callback: @escaping @Sendable () -> Void) {
        if isClosed { callback() } else { closeCallbacks.append(callback) }
    }

    private func tearDown() {
        guard !isClosed else { return }
        isClosed = true
        session?.destroy()
        stallCheck?.cancel()
        prefaceTimer?.cancel()
        keepAlive?.cancel()
        let open = streams.keys.sorted().compactMap { streams[$0] }
        streams = [:]
        lastStream = nil
        writableStreams = []
        for stream in open { finish(stream, closeError) }
        let callbacks = closeCallbacks
        closeCallbacks = []
        for callback in callbacks { callback() }
    }

    /// A client finds out that its server is gone without a word.
    private func startKeepAlive() {
        let period = TimeAmount.seconds(10)
        keepAlive = eventLoop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in
            guard !self.isClosed, !self.streams.isEmpty else { return }
            if self.awaitsPing { return self.close() }
            self.awaitsPing = true
            self.session?.submitPing()
            self.scheduleFlush()
        }
    }
}
