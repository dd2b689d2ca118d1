import Basics
import Keyspace
import NIOCore
import NIOPosix
import ReplicaCore

/// Streams one snapshot to a peer; blocks its thread until the peer has checked it.
final class SnapshotSender: Sendable {
    private let transport: PeerTransport
    private let eventLoop: any EventLoop
    private let member: ReplicaMember
    private let hello: PeerHello
    private let term: UInt64

    init(
        transport: PeerTransport, eventLoop: any EventLoop, member: ReplicaMember,
        hello: PeerHello, term: UInt64
    ) {
        self.transport = transport
        self.eventLoop = eventLoop
        self.member = member
        self.hello = hello
        self.term = term
    }

    func run(_ keyspace: Keyspace) {
        var succeeded = false
        do {
            try send(keyspace)
            succeeded = true
        } catch {
            // Raft probes the member again, and asks for a snapshot again.
        }
        transport.inbox.sendAlways(.snapshotSent(to: member.id, succeeded: succeeded))
    }

    private func send(_ keyspace: Keyspace) throws {
        let welcome = eventLoop.makePromise(of: Void.self)
        let done = eventLoop.makePromise(of: Void.self)
        let hello = hello
        let dialler = PeerDialler(tls: transport.tls, eventLoop: eventLoop)
        let dialled = dialler.dial(member) { pipeline in
            try pipeline.addHandler(SenderHandler(hello, welcome: welcome, done: done))
        }
        let channel: any Channel
        do {
            channel = try dialled.wait()
        } catch {
            welcome.fail(error)
            done.fail(error)
            throw error
        }
        defer { channel.close(promise: nil) }
        try welcome.futureResult.wait()
        let stream = try keyspace.snapshot(clusterID: transport.clusterID)
        while let chunk = try stream.next() {
            try write(.snapshotChunk, chunk, channel)
        }
        var writer = ByteWriter()
        writer.writeLittleEndian(term)
        try write(.snapshotEnd, writer.bytes, channel)
        try done.futureResult.wait()
    }

    /// One chunk at a time: the peer's disk sets the pace.
    private func write(_ kind: PeerFrame.Kind, _ body: Bytes, _ channel: any Channel) throws {
        let buffer = channel.allocator.buffer(bytes: PeerFrame.encoded(kind, body))
        try channel.writeAndFlush(buffer).wait()
    }

    private final class SenderHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let hello: PeerHello
        private let welcome: EventLoopPromise<Void>
        private let done: EventLoopPromise<Void>
        private var reader = PeerFrameReader()

        init(
            _ hello: PeerHello, welcome: EventLoopPromise<Void>, done: EventLoopPromise<Void>
        ) {
            self.hello = hello
            self.welcome = welcome
            self.done = done
        }

        func channelActive(context: ChannelHandlerContext) {
            let frame = PeerFrame.encoded(.hello, hello.encoded())
            context.writeAndFlush(
                wrapOutboundOut(context.channel.allocator.buffer(bytes: frame)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            reader.append(&bytes)
            do throws(PeerProtocolError) {
                while let frame = try reader.next() {
                    if frame.kind == .welcome {
                        welcome.succeed(())
                    } else if frame.kind == .snapshotDone, frame.body.isEmpty {
                        done.succeed(())
                    } else {
                        throw PeerProtocolError(String(decoding: frame.body, as: UTF8.self))
                    }
                }
            } catch {
                fail(error)
                context.close(promise: nil)
            }
        }

        private func fail(_ error: any Error) {
            welcome.fail(error)
            done.fail(error)
        }

        func channelInactive(context: ChannelHandlerContext) {
            fail(ChannelError.ioOnClosedChannel)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            fail(error)
            context.close(promise: nil)
        }
    }
}
