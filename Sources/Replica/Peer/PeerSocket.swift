import Glibc
import NIOCore

/// What both ends of a peer's connection ask of TCP.
///
/// A link that drops everything closes no connection. Without a bound the kernel tries for a
/// quarter of an hour; until then nobody dials again, and a snapshot's sender holds the place of
/// the next.
enum PeerSocket {
    private static let deadAfterSeconds: Int = 6

    static let options: [(ChannelOptions.Types.SocketOption, Int)] = [
        (.init(level: .tcp, name: .tcp_nodelay), 1),
        (.init(level: .socket, name: .so_keepalive), 1),
        (.init(level: .tcp, name: .init(rawValue: TCP_KEEPIDLE)), deadAfterSeconds / 2),
        (.init(level: .tcp, name: .init(rawValue: TCP_KEEPINTVL)), 1),
        (.init(level: .tcp, name: .init(rawValue: TCP_KEEPCNT)), deadAfterSeconds / 2),
        (.init(level: .tcp, name: .init(rawValue: TCP_USER_TIMEOUT)), deadAfterSeconds * 1000),
    ]
}
