import Basics
import NIOCore
import NIOTLS
import Raft
import ReplicaCore

/// The listening end of a peer's connection.
final class PeerAcceptor: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case waitingForHello
        case messages(from: UInt64)
        case snapshot(SnapshotReceiver)
        case ended
    }

    private let transport: PeerTransport
    private var state = State.waitingForHello
    private var reader = PeerFrameReader()
    /// Of the peer, once it has said hello.
    private var metrics: PeerMetrics?

    init(_ transport: PeerTransport) {
        self.transport = transport
    }

    func channelActive(context: ChannelHandlerContext) {
        transport.accepted(context.channel)
        // Nobody may hold a connection without saying who they are.
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .seconds(5)) {
            let (acceptor, context) = loopBound.value
            if case .waitingForHello = acceptor.state { context.close(promise: nil) }
        }
    }

    /// A client of another port has no business here, whatever its certificate.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let name)? = event as? TLSUserEvent,
            name != PeerTLS.applicationProtocol
        {
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        metrics?.receivedBytes.add(bytes.readableBytes)
        reader.append(bytes)
        do throws(PeerProtocolError) {
            var batch = Batch()
            while let frame = try reader.next() { try take(frame, &batch, context) }
            deliver(batch)
        } catch {
            metrics?.receivedFailures.add()
            refuse("\(error)", context)
        }
    }

    private struct Batch {
        var messages: [Message] = []
        var requests: [PeerRequest] = []
        var requestBytes = 0
        var answers: [PeerAnswer] = []
    }

    private func take(
        _ frame: PeerFrame, _ batch: inout Batch, _ context: ChannelHandlerContext
    ) throws(PeerProtocolError) {
        switch state {
        case .waitingForHello:
            guard frame.kind == .hello else { throw PeerProtocolError("no hello") }
            do throws(DecodingFailure) {
                try greet(PeerHello(decoding: frame.body), context)
            } catch {
                throw PeerProtocolError("\(error)")
            }
        case .messages(let from):
            do throws(DecodingFailure) {
                try takeMessage(frame, from, &batch)
            } catch {
                throw PeerProtocolError("\(error)")
            }
        case .snapshot(let receiver):
            guard let outcome = try receiver.take(frame) else { return }
            state = .ended
            finish(receiver, outcome, context)
        case .ended:
            break
        }
    }

    private func takeMessage(
        _ frame: PeerFrame, _ from: UInt64, _ batch: inout Batch
    ) throws(DecodingFailure) {
        switch frame.kind {
        case .message:
            let message = try Message(decoding: frame.body)
            guard message.from == from, message.to == transport.ownID else {
                throw DecodingFailure(
                    field: "message", offset: 0, reason: "from or for another member")
            }
            batch.messages.append(message)
        case .request:
            batch.requests.append(try PeerRequest(decoding: frame.body))
            batch.requestBytes += frame.body.count
        case .answer:
            batch.answers.append(try PeerAnswer(decoding: frame.body))
        default:
            throw DecodingFailure(field: "frame", offset: 0, reason: "unexpected \(frame.kind)")
        }
    }

    /// A full inbox drops: Raft repeats, and requests run into their time limit.
    private func deliver(_ batch: Batch) {
        guard case .messages(let from) = state else { return }
        if !batch.answers.isEmpty {
            _ = transport.inbox.send(.peerAnswers(from: from, batch.answers))
        }
        if !batch.messages.isEmpty {
            // Most of what an idle leader hears; its next tick is soon enough.
            let canWait = batch.messages.allSatisfy { $0.body == .heartbeatResponse(read: 0) }
            _ = transport.inbox.send(.messages(batch.messages), canWait: canWait)
        }
        if !batch.requests.isEmpty {
            transport.take(batch.requests, bytes: batch.requestBytes, from: from)
        }
    }

    private func greet(
        _ hello: PeerHello, _ context: ChannelHandlerContext
    ) {
        guard hello.clusterID == transport.clusterID else {
            return refuse("this is a replica of another cluster", context)
        }
        let own = transport.ownID
        guard hello.to == own else {
            if invite(hello, context) { return }
            return refuse(
                own == 0
                    ? "\(transport.name) has no data and waits to be taken in"
                    : "this is member \(own), not \(hello.to)", context)
        }
        metrics = transport.metrics(of: hello.from.id)
        var welcome = Bytes()
        switch hello.purpose {
        case .messages:
            state = .messages(from: hello.from.id)
        case .snapshot:
            let receiver = SnapshotReceiver(
                transport.directory, from: hello.from.id, hello.from.name, transport.notice)
            guard let receiver else {
                return refuse("cannot write a snapshot file", context)
            }
            state = .snapshot(receiver)
            welcome = receiver.resumePoint.encoded()
        }
        reader.bodyBytesMax = PeerFrame.bodyBytesMax
        transport.accepted(context.channel, from: hello.from.id)
        transport.inbox.sendAlways(.greeted(hello.from))
        write(.welcome, welcome, context)
    }

    /// Without data, and dialled as another member: takes an invitation, or says what one has to
    /// name. Returns whether that was so.
    private func invite(_ hello: PeerHello, _ context: ChannelHandlerContext) -> Bool {
        let token = transport.joinToken
        guard token != 0, [transport.name, transport.address].contains(hello.toName) else {
            return false
        }
        if hello.token == token {
            let invitation = Invitation(memberID: hello.to, token: token)
            transport.inbox.sendAlways(.invited(by: hello.from, invitation))
            refuse("\(transport.name) takes up its new id", context)
        } else {
            var writer = ByteWriter()
            writer.writeLittleEndian(token)
            state = .ended
            write(.waiting, writer.bytes, context)
            context.close(promise: nil)
        }
        return true
    }

    private func finish(
        _ receiver: SnapshotReceiver, _ end: SnapshotReceiver.End, _ context: ChannelHandlerContext
    ) {
        let inbox = transport.inbox
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        // Reading the whole file again takes time.
        _ = OSThread.start("snapshot-check", .background) {
            let result = receiver.check(end)
            if case .success(let received) = result {
                inbox.sendAlways(
                    .snapshotReceived(
                        from: receiver.from, term: end.term, path: received.path, received.header))
            }
            let text: String =
                switch result {
                case .success: ""
                case .failure(let failure): failure.description
                }
            eventLoop.execute {
                let (acceptor, context) = loopBound.value
                acceptor.write(.snapshotDone, Array(text.utf8), context)
            }
        }
    }

    private func refuse(_ reason: String, _ context: ChannelHandlerContext) {
        state = .ended
        write(.refusal, Array(reason.utf8), context)
        context.close(promise: nil)
    }

    private func write(_ kind: PeerFrame.Kind, _ body: Bytes, _ context: ChannelHandlerContext) {
        let buffer = context.channel.allocator.buffer(bytes: PeerFrame.encoded(kind, body))
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .snapshot(let receiver) = state { receiver.interrupted() }
        state = .ended
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
