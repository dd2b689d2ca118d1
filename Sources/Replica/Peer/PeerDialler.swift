import NIOCore
import NIOPosix
import NIOSSL
import ReplicaCore

/// Opens connections to peers.
struct PeerDialler: Sendable {
    let tls: PeerTLS?
    let eventLoop: any EventLoop

    func dial(
        _ member: ReplicaMember,
        _ addHandlers:
            @escaping @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        let tls = tls
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.seconds(1))
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        try pipeline.addHandler(
                            NIOSSLClientHandler(context: tls.client, serverHostname: nil))
                    }
                    try addHandlers(pipeline)
                }
            }
        for (option, value) in PeerSocket.options {
            bootstrap = bootstrap.channelOption(option, value: value)
        }
        // An address needs no resolver, and so no thread of one.
        if let address = try? SocketAddress(
            ipAddress: member.peerHost, port: member.peerPort)
        {
            return bootstrap.connect(to: address)
        }
        return bootstrap.connect(host: member.peerHost, port: member.peerPort)
    }
}
