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

/// A unary call: collects its one message, and is what the answer goes through.
final class GRPCUnaryCall: HTTPRequestReceiver, @unchecked Sendable {
    // Sendable because its variables belong to the event loop until the handler has the message,
    // and nobody changes `meter` from then on.
    private let context: GRPCContext
    let stream: any HTTPServerStream
    private(set) var meter: GRPCCallMeter
    private let gate: (any GRPCCallGate)?
    private let handler: GRPCRouter.Unary
    private var deframer: GRPCDeframer
    private var message: Bytes?
    private var isAnswered = false

    init(
        _ context: GRPCContext, _ stream: any HTTPServerStream, _ meter: GRPCCallMeter,
        _ messageBytesMax: Int, _ gate: (any GRPCCallGate)?, _ handler: @escaping GRPCRouter.Unary
    ) {
        self.gate = gate
        self.context = context
        self.stream = stream
        self.meter = meter
        self.handler = handler
        deframer = GRPCDeframer(messageBytesMax: messageBytesMax)
    }

    func receive(_ bytes: ByteBuffer) {
        stream.consumed(bytes.readableBytes)
        guard !isAnswered else { return }
        guard meter.charge(bytes.readableBytes) else { return fail(.tooManyRequests) }
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
        guard !deframer.isInsideMessage else { return fail(.requestCutShort) }
        guard let message else { return fail(.requestWithoutMessage) }
        isAnswered = true
        self.message = nil
        meter.received(messageBytes: message.count)
        guard let gate else { return handler(message, context, GRPCReply(call: self)) }
        gate.refusal { status in
            self.stream.eventLoop.execute {
                let reply = GRPCReply(call: self)
                if let status { reply(status) } else { self.handler(message, self.context, reply) }
            }
        }
    }

    /// Once the handler has the request, the call ends with its answer, heard or not.
    func cancelled() {
        guard !isAnswered else { return }
        isAnswered = true
        meter.ended(.cancelled)
    }

    private func fail(_ status: GRPCStatus) {
        isAnswered = true
        message = nil
        deframer = GRPCDeframer(messageBytesMax: 0)
        GRPCReply(call: self)(status)
    }
}

/// Hands on the messages of a streaming call.
final class GRPCStreamReceiver: HTTPRequestReceiver {
    private let stream: any HTTPServerStream
    private let meter: GRPCCallMeter
    private let calls: GRPCServerStream
    private let receiver: any GRPCMessageReceiver
    private var deframer: GRPCDeframer
    /// Of a message that is not whole yet.
    private var charge: BudgetCharge
    private var isOver = false

    init(
        _ context: GRPCContext, _ stream: any HTTPServerStream, _ meter: GRPCCallMeter,
        _ messageBytesMax: Int, _ handler: GRPCRouter.Stream
    ) {
        self.stream = stream
        self.meter = meter
        charge = BudgetCharge(stream.budget)
        calls = GRPCServerStream(stream, meter: meter)
        calls.start()
        receiver = handler(context, calls)
        deframer = GRPCDeframer(messageBytesMax: messageBytesMax)
        calls.loopCall = self
    }

    /// Ends the call if the gate will not have it.
    func ask(_ gate: any GRPCCallGate) {
        let calls = calls
        gate.refusal { status in
            if let status { calls.abort(status) } else { gate.watch(calls) }
        }
    }

    func receive(_ bytes: ByteBuffer) {
        stream.consumed(bytes.readableBytes)
        guard !isOver, !calls.isOver else { return drop() }
        deframer.append(bytes)
        do throws(GRPCStatus) {
            while let message = try deframer.next() {
                meter.received(messageBytes: message.count)
                receiver.receive(message)
            }
            guard charge.hold(deframer.heldBytes) else { throw GRPCStatus.tooManyRequests }
        } catch {
            fail(error)
        }
    }

    /// Ends the call; its receiver hears of it as if the client were gone.
    func fail(_ status: GRPCStatus) {
        isOver = true
        receiver.cancelled()
        calls.finish(status)
        drop()
    }

    private func drop() {
        deframer = GRPCDeframer(messageBytesMax: 0)
        _ = charge.hold(0)
    }

    func receiveEnd() {
        guard !isOver else { return }
        guard calls.isOver || !deframer.isInsideMessage else { return fail(.requestCutShort) }
        receiver.receiveEnd()
    }

    func cancelled() {
        calls.ended(.cancelled)
        if !isOver { receiver.cancelled() }
        isOver = true
        drop()
    }
}
