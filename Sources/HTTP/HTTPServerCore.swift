import Basics
import NIOCore

/// What the connections of one port share.
final class HTTPServerCore: Sendable {
    enum Connection: Sendable {
        case http2(HTTP2Connection)
        case http1(HTTP1Handler)
    }

    private struct State {
        var next = 0
        var connections: [Int: (Connection, any Channel)] = [:]
        var isStopping = false
    }

    let handler: any HTTPHandler
    let onTunnel: HTTPServer.OnTunnel?
    let limits: HTTPLimits
    private let throttledLog: ThrottledLog
    private let state = Locked(State())
    private let mailboxes: [ObjectIdentifier: LoopMailbox]

    init(
        handler: any HTTPHandler, onTunnel: HTTPServer.OnTunnel?, limits: HTTPLimits,
        group: any EventLoopGroup, log: @escaping @Sendable (String) -> Void
    ) {
        mailboxes = Dictionary(
            uniqueKeysWithValues: group.makeIterator().map {
                (ObjectIdentifier($0), LoopMailbox($0))
            })
        self.handler = handler
        self.onTunnel = onTunnel
        self.limits = limits
        throttledLog = ThrottledLog(log)
    }

    /// What the port's connections on an event loop share.
    func mailbox(of eventLoop: any EventLoop) -> LoopMailbox {
        mailboxes[ObjectIdentifier(eventLoop)] ?? LoopMailbox(eventLoop)
    }

    /// One line about a peer; not each, when there are many.
    @Sendable func log(_ line: String) { throttledLog.line(line) }

    /// Remembers a connection until it closes; on its event loop.
    func add(_ connection: Connection, _ channel: any Channel) {
        let id: Int? = state.withLock {
            guard !$0.isStopping else { return nil }
            $0.next += 1
            $0.connections[$0.next] = (connection, channel)
            return $0.next
        }
        guard let id else { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { $0.connections[id] = nil }
        }
    }

    /// Asks every connection to end, and ends those that have not within the time to drain.
    func drain() async {
        let all = state.withLock {
            $0.isStopping = true
            return $0.connections.sorted { $0.key < $1.key }.map(\.value)
        }
        for (connection, channel) in all {
            channel.eventLoop.execute {
                switch connection {
                case .http2(let connection): connection.drain()
                case .http1(let handler): handler.drain()
                }
            }
            channel.eventLoop.scheduleTask(in: .seconds(limits.drainSeconds)) {
                channel.close(promise: nil)
            }
        }
        for (_, channel) in all { try? await channel.closeFuture.get() }
    }
}
