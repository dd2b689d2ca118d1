import Basics
import NIOCore

/// Drops what comes: for requests that are answered already.
final class IgnoringReceiver: HTTPRequestReceiver {
    private let stream: any HTTPServerStream

    init(_ stream: any HTTPServerStream) {
        self.stream = stream
    }

    func receive(_ bytes: ByteBuffer) { stream.consumed(bytes.readableBytes) }
    func receiveEnd() {}
    func cancelled() {}
}

/// Collects the one message of a unary call.
final class GRPCUnaryReceiver: HTTPRequestReceiver {
    private let context: GRPCContext
    private let stream: any HTTPServerStream
    private let handler: GRPCRouter.Unary
    private var deframer: GRPCDeframer
    private var message: Bytes?
    private var isAnswered = false

    init(
        _ context: GRPCContext, _ stream: any HTTPServerStream, _ messageBytesMax: Int,
        _ handler: @escaping GRPCRouter.Unary
    ) {
        self.context = context
        self.stream = stream
        self.handler = handler
        deframer = GRPCDeframer(messageBytesMax: messageBytesMax)
    }

    func receive(_ bytes: ByteBuffer) {
        stream.consumed(bytes.readableBytes)
        guard !isAnswered else { return }
        deframer.append(bytes)
        do throws(GRPCStatus) {
            while let next = try deframer.next() {
                guard message == nil else {
                    throw GRPCStatus(.internalError, "grpc: second message of a unary call")
                }
                message = next
            }
        } catch {
            fail(error)
        }
    }

    func receiveEnd() {
        guard !isAnswered else { return }
        guard let message, !deframer.isInsideMessage else {
            return fail(GRPCStatus(.internalError, "grpc: request ends within a message"))
        }
        isAnswered = true
        self.message = nil
        handler(message, context, GRPCReply(stream: stream))
    }

    func cancelled() {}

    private func fail(_ status: GRPCStatus) {
        isAnswered = true
        GRPCReply(stream: stream)(status)
    }
}

/// Hands on the messages of a streaming call.
final class GRPCStreamReceiver: HTTPRequestReceiver {
    private let stream: any HTTPServerStream
    private let calls: GRPCServerStream
    private let receiver: any GRPCMessageReceiver
    private var deframer: GRPCDeframer
    private var isOver = false

    init(
        _ context: GRPCContext, _ stream: any HTTPServerStream, _ messageBytesMax: Int,
        _ handler: GRPCRouter.Stream
    ) {
        self.stream = stream
        calls = GRPCServerStream(stream)
        calls.start()
        receiver = handler(context, calls)
        deframer = GRPCDeframer(messageBytesMax: messageBytesMax)
    }

    func receive(_ bytes: ByteBuffer) {
        stream.consumed(bytes.readableBytes)
        guard !isOver else { return }
        deframer.append(bytes)
        do throws(GRPCStatus) {
            while let message = try deframer.next() { receiver.receive(message) }
        } catch {
            isOver = true
            receiver.cancelled()
            calls.finish(error)
        }
    }

    func receiveEnd() {
        if !isOver { receiver.receiveEnd() }
    }

    func cancelled() {
        if !isOver { receiver.cancelled() }
        isOver = true
    }
}
