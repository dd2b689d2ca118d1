import Basics
import EtcdMessages
import HTTP
import NIOCore

/// One request after the other, each when the one before is answered. On the event loop.
final class Lane: HTTPResponseReceiver, @unchecked Sendable {
    /// What came back.
    struct Answer {
        var bytes = 0
        /// Of the header, which comes first.
        var revision: Int64 = 0
        var hasContent = false
        var failure: String?
    }

    private let load: ClosedLoad
    private let connection: HTTPClientConnection
    private var stream: (any HTTPClientStream)?
    private var request: Workload.Request?
    private var started = MonotonicTime(nanoseconds: 0)
    private var answer = Answer()
    private var beginning = Bytes()

    init(_ load: ClosedLoad, _ connection: HTTPClientConnection) {
        self.load = load
        self.connection = connection
    }

    func next() {
        guard let request = load.next() else { return }
        self.request = request
        answer = Answer()
        beginning.removeAll(keepingCapacity: true)
        started = MonotonicTime.now()
        let head = HTTPClientRequest(
            method: "POST", target: request.path, headers: load.headers)
        let stream = connection.open(head, endsRequest: false, receiver: self)
        self.stream = stream
        var body = ByteBufferAllocator().buffer(capacity: request.message.count + 5)
        body.writeGRPCMessage(request.message)
        stream.send(body)
        stream.end()
    }

    func receiveHead(status: Int, headers: HTTPHeaders) {
        if status != 200 { answer.failure = "HTTP \(status)" }
        if let status = GRPCStatus(trailers: headers), status.code != .ok {
            answer.failure = "\(status)"
        }
    }

    private static let beginningBytes = 96

    func receive(_ bytes: ByteBuffer) {
        answer.bytes += bytes.readableBytes
        stream?.consumed(bytes.readableBytes)
        if beginning.count < Self.beginningBytes {
            beginning += bytes.readableBytesView.prefix(Self.beginningBytes - beginning.count)
        }
    }

    func receiveEnd(trailers: HTTPHeaders) {
        if let status = GRPCStatus(trailers: trailers) {
            if status.code != .ok { answer.failure = "\(status)" }
        } else if answer.failure == nil {
            answer.failure = "no gRPC status"
        }
        finish()
    }

    func failed(_ error: HTTPError) {
        answer.failure = "\(error)"
        finish()
    }

    private func finish() {
        guard let request else { return }
        self.request = nil
        stream = nil
        readBeginning()
        load.finished(request, answer, since: started)
        next()
    }

    /// The header, and whether anything but a header came.
    private func readBeginning() {
        guard beginning.count > 5 else { return }
        var reader = ProtobufReader(Bytes(beginning[5...]), "answer")
        guard let field = try? reader.next(), field == 1,
            let header = try? ResponseHeader(within: &reader)
        else {
            answer.hasContent = true
            return
        }
        answer.revision = header.revision
        answer.hasContent = (try? reader.next()) ?? nil != nil
    }
}

extension Lane.Answer {
    /// What a good answer to the request has and this one has not.
    func lack(of request: Workload.Request) -> String? {
        if request.writes { return revision > 0 ? nil : "a write without a revision" }
        return hasContent ? nil : "a read without a value"
    }
}
