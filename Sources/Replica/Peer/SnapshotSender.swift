import Basics
import Glibc
import Keyspace
import NIOCore
import NIOPosix
import ReplicaCore

/// Streams a snapshot file to a peer, from where the peer's own ends; blocks its thread until the
/// peer has made a keyspace of it.
final class SnapshotSender: Sendable {
    private static let chunkBytes = 256 << 10

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
        let welcome = eventLoop.makePromise(of: SnapshotResumePoint.self)
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
        let point = try welcome.futureResult.wait()
        let path = try SnapshotSource.choose(
            keyspace, in: transport.directory, clusterID: transport.clusterID, resuming: point)
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileSystem.failure("cannot open", path) }
        defer { close(descriptor) }
        let bytes = UInt64(max(0, lseek(descriptor, 0, SEEK_END)))
        let begin = try SnapshotSource.begin(path, bytes: bytes, resuming: point)
        var offset = begin.offset
        try write(.snapshotBegin, begin.encoded(), channel)
        while offset < bytes {
            let chunk = try read(descriptor, path, at: offset)
            try write(.snapshotChunk, chunk, channel)
            offset += UInt64(chunk.count)
        }
        var writer = ByteWriter()
        writer.writeLittleEndian(term)
        try write(.snapshotEnd, writer.bytes, channel)
        try done.futureResult.wait()
    }

    private func read(_ descriptor: Int32, _ path: String, at offset: UInt64) throws -> Bytes {
        var count = 0
        let chunk = unsafe Bytes(unsafeUninitializedCapacity: Self.chunkBytes) { room, filled in
            unsafe count = pread(descriptor, room.baseAddress, room.count, off_t(offset))
            filled = max(0, count)
        }
        guard count > 0 else { throw FileSystem.failure("cannot read", path) }
        return chunk
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
        private let welcome: EventLoopPromise<SnapshotResumePoint>
        private let done: EventLoopPromise<Void>
        private var reader = PeerFrameReader()

        init(
            _ hello: PeerHello, welcome: EventLoopPromise<SnapshotResumePoint>,
            done: EventLoopPromise<Void>
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
            let bytes = unwrapInboundIn(data)
            reader.append(bytes)
            do throws(PeerProtocolError) {
                while let frame = try reader.next() {
                    if frame.kind == .welcome {
                        try greeted(frame.body)
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

        private func greeted(_ body: Bytes) throws(PeerProtocolError) {
            do throws(DecodingFailure) {
                welcome.succeed(try SnapshotResumePoint(decoding: body))
            } catch {
                throw PeerProtocolError("\(error)")
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
