package import NIOCore

/// Stands on a listening socket: accepts no more connections than it may, and rests for a while
/// when the process or the system has no descriptor left. Whoever comes then waits in the kernel's
/// queue, and what is open goes on.
package final class AcceptLimiter: ChannelInboundHandler {
    package typealias InboundIn = any Channel

    private static let restMilliseconds: Int64 = 250

    private let connectionsMax: Int
    private let log: @Sendable (String) -> Void
    private var open = 0
    private var isResting = false
    private var isPaused = false

    package init(connectionsMax: Int = .max, log: @escaping @Sendable (String) -> Void) {
        self.connectionsMax = connectionsMax
        self.log = log
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        open += 1
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        unwrapInboundIn(data).closeFuture.hop(to: context.eventLoop).whenComplete { _ in
            let (limiter, context) = bound.value
            limiter.open -= 1
            limiter.decide(context, "")
        }
        decide(context, "\(open) are open")
        context.fireChannelRead(data)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isResting = true
        decide(context, "\(error)")
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(Self.restMilliseconds)) {
            let (limiter, context) = bound.value
            limiter.isResting = false
            limiter.decide(context, "")
        }
    }

    /// Reading is switched off and not just held back: after an accept that failed NIO goes on to
    /// wait for the socket, which is ready all the time.
    private func decide(_ context: ChannelHandlerContext, _ reason: String) {
        let mustPause = isResting || open >= connectionsMax
        guard mustPause != isPaused, context.channel.isActive else { return }
        isPaused = mustPause
        if mustPause { log("no more connections are accepted for now: \(reason)") }
        try? context.channel.syncOptions?.setOption(.autoRead, value: !mustPause)
    }
}
