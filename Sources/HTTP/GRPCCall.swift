package import Basics
import NIOCore

/// Gets what a streaming call answers, on the event loop; ends with one `finished`.
package protocol GRPCClientReceiver: AnyObject, Sendable {
    /// A message; its window is given back with `GRPCClientStream.consumed`.
    func receive(_ message: Bytes)
    func finished(_ status: GRPCStatus)
}

/// One call of a channel; on the channel's event loop.
final class GRPCCall: HTTPResponseReceiver, @unchecked Sendable {
    // Sendable because all state belongs to the event loop, once the call has been handed there.
    /// Messages delivered and not consumed beyond which the sender's window is held back.
    private static let unconsumedBytesMax = 512 * 1024
    /// A client trusts its server with more than a server its clients.
    private static let messageBytesMax = 1 << 30

    let channel: GRPCChannel
    private let path: String
    private var receiver: (any GRPCClientReceiver)?
    private var connection: HTTPClientConnection?
    private var stream: (any HTTPClientStream)?
    private var deframer = GRPCDeframer(messageBytesMax: messageBytesMax)
    private var unsent: [ByteBuffer] = []
    private var isEnded = false
    private var head: (status: Int, headers: HTTPHeaders)?
    private var timer: Scheduled<Void>?
    private var unconsumedBytes = 0
    private var withheldBytes = 0

    var timeoutMilliseconds: Int64 = 0
    /// Sent along with gRPC's own.
    var headers: HTTPHeaders = [:]
    /// The receiver gives messages back when it is done with them.
    var holdsWindow = false
    var isOver: Bool { receiver == nil }

    init(_ channel: GRPCChannel, _ path: String, _ receiver: any GRPCClientReceiver) {
        self.channel = channel
        self.path = path
        self.receiver = receiver
    }

    func startTimer() {
        guard timeoutMilliseconds > 0, timer == nil else { return }
        timer = channel.eventLoop.scheduleTask(in: .milliseconds(timeoutMilliseconds)) {
            let stream = self.stream
            self.fail(GRPCStatus(.deadlineExceeded, "no answer in \(self.timeoutMilliseconds) ms"))
            stream?.cancel()
        }
    }

    func open(on connection: HTTPClientConnection) {
        guard !isOver else { return }
        self.connection = connection
        var headers: HTTPHeaders = ["content-type": "application/grpc", "te": "trailers"]
        if timeoutMilliseconds > 0 { headers.add("grpc-timeout", "\(timeoutMilliseconds)m") }
        for header in self.headers.fields { headers.add(header.name, header.value) }
        if let token = channel.token { headers.add("token", token) }
        let request = HTTPClientRequest(method: "POST", target: path, headers: headers)
        let stream = connection.open(request, endsRequest: false, receiver: self)
        guard !isOver else { return }
        self.stream = stream
        for buffer in unsent { stream.send(buffer) }
        unsent = []
        if isEnded { stream.end() }
    }

    func loopSend(_ message: Bytes) {
        guard !isOver, !isEnded else { return }
        var buffer = ByteBufferAllocator().buffer(capacity: message.count + 5)
        buffer.writeGRPCMessage(message)
        if let stream { stream.send(buffer) } else { unsent.append(buffer) }
    }

    func loopEnd() {
        guard !isEnded else { return }
        isEnded = true
        stream?.end()
    }

    func loopCancel() {
        let stream = stream
        fail(GRPCStatus(.cancelled, "call cancelled"))
        stream?.cancel()
    }

    func loopConsumed(_ count: Int) {
        unconsumedBytes = max(0, unconsumedBytes - count)
        guard unconsumedBytes < Self.unconsumedBytesMax, withheldBytes > 0 else { return }
        stream?.consumed(withheldBytes)
        withheldBytes = 0
    }

    // MARK: The answer

    func receiveHead(status: Int, headers: HTTPHeaders) {
        head = (status, headers)
    }

    func receive(_ bytes: ByteBuffer) {
        guard receiver != nil, let stream, let head else { return }
        let isGRPC = head.headers.first("content-type")?.hasPrefix("application/grpc") == true
        guard head.status == 200, isGRPC else { return stream.consumed(bytes.readableBytes) }
        deframer.append(bytes)
        do throws(GRPCStatus) {
            while let message = try deframer.next() {
                if holdsWindow { unconsumedBytes += message.count }
                receiver?.receive(message)
            }
        } catch {
            fail(error)
            return stream.cancel()
        }
        if unconsumedBytes < Self.unconsumedBytesMax {
            stream.consumed(bytes.readableBytes)
        } else {
            withheldBytes += bytes.readableBytes
        }
    }

    func receiveEnd(trailers: HTTPHeaders) {
        fail(GRPCStatus(trailers: trailers) ?? statusOfHead())
    }

    /// An answer of headers alone carries its status there; one that is not gRPC carries HTTP's.
    private func statusOfHead() -> GRPCStatus {
        guard let head else { return GRPCStatus(.internalError, "answer without headers") }
        if let status = GRPCStatus(trailers: head.headers) { return status }
        let text = "HTTP status \(head.status) instead of a gRPC answer"
        switch head.status {
        case 200: return GRPCStatus(.internalError, "answer without a gRPC status")
        case 400: return GRPCStatus(.internalError, text)
        case 401: return GRPCStatus(.unauthenticated, text)
        case 403: return GRPCStatus(.permissionDenied, text)
        case 404, 415: return GRPCStatus(.unimplemented, text)
        case 429, 502, 503, 504: return GRPCStatus(.unavailable, text)
        default: return GRPCStatus(.unknown, text)
        }
    }

    func failed(_ error: HTTPError) {
        fail(GRPCStatus(error.code == .cancelled ? .cancelled : .unavailable, error.message))
    }

    /// Ends the call, once.
    func fail(_ status: GRPCStatus) {
        guard let receiver else { return }
        self.receiver = nil
        timer?.cancel()
        stream = nil
        unsent = []
        receiver.finished(status)
        channel.ended(status, on: connection)
        connection = nil
    }
}

/// Waits for the one answer of a unary call.
final class GRPCUnaryClient: GRPCClientReceiver, @unchecked Sendable {
    // Sendable because it is used on the event loop only.
    private let done: @Sendable (Result<Bytes, GRPCStatus>) -> Void
    private var message: Bytes?

    init(_ done: @escaping @Sendable (Result<Bytes, GRPCStatus>) -> Void) {
        self.done = done
    }

    func receive(_ message: Bytes) { self.message = message }

    func finished(_ status: GRPCStatus) {
        guard status.code == .ok else { return done(.failure(status)) }
        guard let message else {
            return done(.failure(GRPCStatus(.internalError, "answer without a message")))
        }
        done(.success(message))
    }
}

/// The asking half of a streaming call; any thread.
package final class GRPCClientStream: Sendable {
    private let call: GRPCCall

    init(_ call: GRPCCall) {
        self.call = call
    }

    package func send(_ message: Bytes) {
        call.channel.onLoop { self.call.loopSend(message) }
    }

    /// No more messages from this side.
    package func end() {
        call.channel.onLoop { self.call.loopEnd() }
    }

    /// Gives the call up; the receiver is told `cancelled` unless the call has ended.
    package func cancel() {
        call.channel.onLoop { self.call.loopCancel() }
    }

    /// Gives the window of a received message back; `messageBytes` is the message's count.
    package func consumed(messageBytes: Int) {
        call.channel.onLoop { self.call.loopConsumed(messageBytes) }
    }
}
