import Basics
import Documents
import HTTP
import Keyspace
import NIOCore

/// Takes the JSON of one request and hands it, as protobuf, to the method of its route.
///
/// A body is one document, or none for an empty message. Those of `Watch` and `LeaseKeepAlive` are
/// any number of them, and the last is followed by nothing: a stream goes on after the end of its
/// request.
final class GatewayReceiver: HTTPRequestReceiver {
    /// Base64 makes four bytes of three, and names come on top.
    private static let bodyBytesMax = 2 * grpcMessageBytesMax

    private let route: GatewayRoute
    private let client: any HTTPServerStream
    private let stream: GatewayStream
    private let method: any HTTPRequestReceiver
    private var body = Bytes()
    /// Of the body, which is held until it is a whole document.
    private var charge: BudgetCharge
    private var splitter = JSONSplitter()
    private var hasTaken = false
    private var isOver = false

    init(
        _ route: GatewayRoute, _ head: HTTPRequestHead, _ client: any HTTPServerStream,
        _ router: GRPCRouter
    ) {
        self.route = route
        self.client = client
        charge = BudgetCharge(client.budget)
        stream = GatewayStream(client, route)
        var call = head
        call.path = route.method
        // A proxy's certificate says nothing of its clients.
        call.peer = nil
        call.headers = ["content-type": "application/grpc"]
        if let token = head.headers.first("authorization") {
            call.headers.add("authorization", token)
        }
        method = router.handle(call, stream)
        if route.flow == .unary,
            let length = head.headers.first("content-length").flatMap({ Int($0) }),
            length > Self.bodyBytesMax
        {
            fail(GRPCStatus(StoreError.requestTooLarge))
        }
    }

    func receive(_ bytes: ByteBuffer) {
        client.consumed(bytes.readableBytes)
        guard !isOver else { return }
        guard body.count + bytes.readableBytes <= Self.bodyBytesMax else {
            return fail(GRPCStatus(StoreError.requestTooLarge))
        }
        body += bytes.readableBytesView
        guard charge.hold(body.count) else { return fail(.tooManyRequests) }
        defer { _ = charge.hold(body.count) }
        guard route.flow == .stream else { return }
        while !isOver, let end = splitter.endOfDocument(in: body) {
            let document = Bytes(body[..<end])
            body.removeSubrange(..<end)
            splitter = JSONSplitter()
            // A document that is refused ends the call, and with it the body.
            take(document)
        }
    }

    func receiveEnd() {
        guard !isOver else { return }
        let isEmpty = body.allSatisfy { JSONSplitter.isSpace($0) }
        switch route.flow {
        case _ where !isEmpty: take(body)
        case .stream where route.takesMany || hasTaken: break
        case .unary, .stream: take(Bytes("{}".utf8))
        }
        if !isOver { method.receiveEnd() }
    }

    func cancelled() {
        if !isOver { method.cancelled() }
        isOver = true
    }

    private func take(_ document: Bytes) {
        hasTaken = true
        do {
            let json = try JSON.parse(document)
            let message = try JSONToProtobuf().encode(json, as: route.request)
            var framed = ByteBuffer()
            framed.writeGRPCMessage(message)
            method.receive(framed)
        } catch let error as JSONError {
            fail(GRPCStatus(.invalidArgument, error.message))
        } catch let error as GatewayError {
            fail(GRPCStatus(.invalidArgument, error.message))
        } catch {
            fail(GRPCStatus(.internalError, "\(error)"))
        }
    }

    private func fail(_ status: GRPCStatus) {
        isOver = true
        body = []
        method.cancelled()
        stream.fail(status)
    }
}

/// Finds where a document ends in a stream of them, by brackets and quotes alone.
struct JSONSplitter {
    private var position = 0
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
    }

    /// The index after the first object; nil until all of it is there. Goes on where it stopped.
    mutating func endOfDocument(in bytes: Bytes) -> Int? {
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth <= 0 { return position }
            default: break
            }
        }
        return nil
    }
}
