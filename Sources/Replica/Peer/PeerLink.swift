import Basics
import HTTP
import NIOCore
import NIOPosix
import NIOSSL
import ReplicaCore

/// The connection on which we talk to one peer; the peer talks to us on one of its own.
///
/// Kept up by itself, with a growing pause between attempts. What is sent while it is down, or
/// while too much waits already, is dropped: Raft repeats what matters.
final class PeerLink: Sendable {
    private static let queuedBytesMax = 32 << 20
    private static let pieceBytesMax = 65_536
    private static let pauseMillisecondsMin: Int64 = 20
    private static let pauseMillisecondsMax: Int64 = 500

    /// What a link tells, on the event loop.
    enum Event: Sendable {
        case up
        /// After having been up.
        case down
        /// The peer has no data, and waits for an invitation with this token.
        case waiting(token: UInt64)
    }

    let member: ReplicaMember
    private let tls: PeerTLS?
    private let eventLoop: any EventLoop
    private let notice: @Sendable (String) -> Void
    private let metrics: PeerMetrics
    private let report: @Sendable (Event) -> Void

    private struct State {
        /// What the next connection says first.
        var hello: PeerHello
        /// Set between the peer's welcome and the end of the connection.
        var channel: (any Channel)?
        /// Small ones in one piece, large ones without another copy.
        var pending: [Bytes] = []
        var pendingBytes = 0

        mutating func append(_ frames: Bytes) {
            let last = pending.count - 1
            if last >= 0, pending[last].count + frames.count <= PeerLink.pieceBytesMax {
                pending[last] += frames
            } else {
                pending.append(frames)
            }
            pendingBytes += frames.count
        }

        /// Handed to the channel and not yet written.
        var writingBytes = 0
        var isFlushScheduled = false
        var isClosed = false
        var pauseMilliseconds = PeerLink.pauseMillisecondsMin
        /// Why the peer does not take us, as was said last.
        var refusal: String?
        /// The connection in the making or in use, so that `close` ends it.
        var dialled: (any Channel)?
    }
    private let state: Locked<State>

    init(
        _ member: ReplicaMember, hello: PeerHello, tls: PeerTLS?, eventLoop: any EventLoop,
        metrics: PeerMetrics, notice: @escaping @Sendable (String) -> Void,
        report: @escaping @Sendable (Event) -> Void
    ) {
        self.member = member
        state = Locked(State(hello: hello))
        self.tls = tls
        self.eventLoop = eventLoop
        self.metrics = metrics
        self.notice = notice
        self.report = report
        dial()
    }

    var hello: PeerHello { state.withLock { $0.hello } }

    /// Whether this link does for that greeting: an invitation matters to one that waits for an id
    /// only, not to one that is connected. The next connection says the new one.
    func takes(_ hello: PeerHello) -> Bool {
        state.withLock { state in
            var same = hello
            same.token = state.hello.token
            guard state.hello == hello || (state.channel != nil && state.hello == same) else {
                return false
            }
            state.hello = hello
            return true
        }
    }

    var isUp: Bool { state.withLock { $0.channel != nil } }

    /// Queues whole frames; false if they were dropped.
    @discardableResult
    func send(_ frames: Bytes) -> Bool {
        let (isTaken, mustSchedule) = state.withLock { state -> (Bool, Bool) in
            let queued = state.pendingBytes + state.writingBytes
            guard state.channel != nil, queued == 0 || queued + frames.count < Self.queuedBytesMax
            else { return (false, false) }
            state.append(frames)
            defer { state.isFlushScheduled = true }
            return (true, !state.isFlushScheduled)
        }
        if isTaken { metrics.sentBytes.add(frames.count) } else { metrics.sentFailures.add() }
        if mustSchedule { eventLoop.execute { self.flush() } }
        return isTaken
    }

    private func flush() {
        let (channel, pending) = state.withLock { state -> ((any Channel)?, [Bytes]) in
            state.isFlushScheduled = false
            defer { state.pending = [] }
            state.writingBytes += state.pendingBytes
            state.pendingBytes = 0
            return (state.channel, state.pending)
        }
        guard let channel else { return }
        for bytes in pending {
            channel.write(channel.allocator.buffer(bytes: bytes)).whenComplete { _ in
                self.state.withLock { $0.writingBytes = max(0, $0.writingBytes - bytes.count) }
            }
        }
        channel.flush()
    }

    func close() {
        let channel = state.withLock { state -> (any Channel)? in
            state.isClosed = true
            return state.dialled
        }
        channel?.close(promise: nil)
    }

    private func dial() {
        let done = PeerDialler(tls: tls, eventLoop: eventLoop).dial(member) { pipeline in
            try pipeline.addHandler(LinkHandler(self))
        }
        done.whenComplete { result in
            switch result {
            case .success(let channel):
                let isClosed = self.state.withLock { state -> Bool in
                    state.dialled = channel
                    return state.isClosed
                }
                if isClosed { channel.close(promise: nil) }
                channel.closeFuture.whenComplete { _ in self.ended() }
            case .failure:
                self.ended()
            }
        }
    }

    private func ended() {
        let (wasUp, pause, isClosed) = state.withLock { state -> (Bool, Int64, Bool) in
            let wasUp = state.channel != nil
            if wasUp { state.pauseMilliseconds = Self.pauseMillisecondsMin }
            let pause = state.pauseMilliseconds
            state.pauseMilliseconds = min(pause * 2, Self.pauseMillisecondsMax)
            state.channel = nil
            state.dialled = nil
            state.pending = []
            state.pendingBytes = 0
            state.writingBytes = 0
            return (wasUp, pause, state.isClosed)
        }
        if wasUp { report(.down) }
        guard !isClosed else { return }
        eventLoop.scheduleTask(in: .milliseconds(pause)) { self.dial() }
    }

    /// Says once what stands between us and a peer that answers.
    fileprivate func refused(_ reason: String) {
        let isNew = state.withLock { state -> Bool in
            defer { state.refusal = reason }
            return state.refusal != reason && !state.isClosed
        }
        guard isNew else { return }
        notice("\(member.name) at \(member.peerHost):\(member.peerPort): \(reason)")
    }

    fileprivate func welcomed(_ channel: any Channel) {
        state.withLock { state in
            state.channel = channel
            state.refusal = nil
        }
        report(.up)
        watchRoundTrips(channel)
    }

    private static let roundTripPeriod = TimeAmount.seconds(5)

    /// Asks the kernel now and then how long the peer takes to acknowledge.
    private func watchRoundTrips(_ channel: any Channel) {
        guard let socket = channel as? any SocketOptionProvider else { return }
        let metrics = metrics
        let task = channel.eventLoop.scheduleRepeatedTask(
            initialDelay: .seconds(1), delay: Self.roundTripPeriod
        ) { _ in
            socket.getTCPInfo().whenSuccess { info in
                metrics.roundTrip.observe(nanoseconds: UInt64(info.tcpi_rtt) * 1000)
            }
        }
        channel.closeFuture.whenComplete { _ in task.cancel() }
    }

    /// Says hello and waits for the welcome; nothing else ever comes on this connection.
    private final class LinkHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let link: PeerLink
        private var reader = PeerFrameReader()

        init(_ link: PeerLink) {
            self.link = link
        }

        func channelActive(context: ChannelHandlerContext) {
            let hello = PeerFrame.encoded(.hello, link.hello.encoded())
            context.writeAndFlush(
                wrapOutboundOut(context.channel.allocator.buffer(bytes: hello)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            reader.append(bytes)
            do throws(PeerProtocolError) {
                while let frame = try reader.next() { try take(frame, context) }
            } catch {
                link.refused("\(error)")
                context.close(promise: nil)
            }
        }

        private func take(
            _ frame: PeerFrame, _ context: ChannelHandlerContext
        ) throws(PeerProtocolError) {
            switch frame.kind {
            case .welcome: link.welcomed(context.channel)
            case .waiting:
                var reader = ByteReader(frame.body)
                guard let token = try? reader.readLittleEndian("token") as UInt64 else {
                    throw PeerProtocolError("a token without its bytes")
                }
                link.report(.waiting(token: token))
            default: throw PeerProtocolError(String(decoding: frame.body, as: UTF8.self))
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if !(error is IOError) { link.refused("TLS: \(TLSFailure.text(error))") }
            context.close(promise: nil)
        }
    }
}
