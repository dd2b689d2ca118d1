import Basics
import EtcdMessages
import HTTP
import NIOCore

/// A stream that keeps one lease alive, again each time it has heard that it did.
final class KeepAliveLane: HTTPResponseReceiver, @unchecked Sendable {
    // Sendable because everything runs on one event loop.
    private let load: ClosedLoad
    private let lease: Int64
    private var stream: (any HTTPClientStream)?
    private var request: Workload.Request?
    private var started = MonotonicTime(nanoseconds: 0)
    private var deframer = GRPCDeframer(messageBytesMax: 1 << 20)

    init(_ load: ClosedLoad, lease: Int64) {
        self.load = load
        self.lease = lease
    }

    func begin(_ connection: HTTPClientConnection) {
        let head = HTTPClientRequest(
            method: "POST", target: "/etcdserverpb.Lease/LeaseKeepAlive",
            headers: ["content-type": "application/grpc", "te": "trailers"])
        stream = connection.open(head, endsRequest: false, receiver: self)
        next()
    }

    private func next() {
        guard let request = load.next() else {
            stream?.cancel()
            return
        }
        self.request = request
        started = MonotonicTime.now()
        var message = ProtobufWriter()
        message.write(1, lease)
        var body = ByteBuffer()
        body.writeGRPCMessage(message.bytes)
        stream?.send(body)
    }

    func receiveHead(status: Int, headers: HTTPHeaders) {}

    func receive(_ bytes: ByteBuffer) {
        stream?.consumed(bytes.readableBytes)
        deframer.append(bytes)
        while let message = try? deframer.next() {
            var answer = Lane.Answer()
            answer.bytes = message.count
            // A lease that is gone has no TTL, field 3.
            var reader = ProtobufReader(message, "answer")
            while let field = try? reader.next() {
                if field == 3 { answer.hasContent = true }
                try? reader.skip()
            }
            finish(answer)
            next()
        }
    }

    func receiveEnd(trailers: HTTPHeaders) { fail("the stream ended: \(trailers.fields)") }
    func failed(_ error: HTTPError) { fail("\(error)") }

    private func fail(_ why: String) {
        guard request != nil else { return }
        var answer = Lane.Answer()
        answer.failure = why
        finish(answer)
        load.laneEnded()
    }

    private func finish(_ answer: Lane.Answer) {
        guard let request else { return }
        self.request = nil
        load.finished(request, answer, since: started)
    }
}
