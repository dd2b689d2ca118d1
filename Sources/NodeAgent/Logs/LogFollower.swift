import Basics
import CMartlet
import NIOCore
import NIOPosix

/// Wakes whoever follows a log when its directory changes, by inotify on an event loop.
final class LogFollower: Sendable {
    enum Wake: Sendable {
        case changed
        case ended
        case cancelled
    }

    let mailbox = Mailbox<Wake>()
    private let channel = Locked<(any Channel)?>(nil)

    /// False when the directory cannot be watched.
    func watch(_ directory: String, group: any EventLoopGroup) async -> Bool {
        let descriptor = unsafe martlet_watch_directory(directory)
        guard descriptor >= 0 else { return false }
        let mailbox = mailbox
        let channel = try? await NIOPipeBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(WakeHandler(mailbox))
                }
            }
            .takingOwnershipOfDescriptor(input: descriptor).get()
        guard let channel else { return false }
        self.channel.withLock { $0 = channel }
        return true
    }

    func stop() {
        channel.withLock { $0 }?.close(promise: nil)
    }
}

private final class WakeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let mailbox: Mailbox<LogFollower.Wake>

    init(_ mailbox: Mailbox<LogFollower.Wake>) {
        self.mailbox = mailbox
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        mailbox.post(.changed)
    }
}
