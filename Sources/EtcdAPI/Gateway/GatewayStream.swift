import Basics
import Documents
import HTTP
import NIOCore

/// The answering half of a call that came in as JSON: takes what a gRPC method answers, and
/// answers the client in JSON.
final class GatewayStream: HTTPServerStream {
    private struct State: Sendable {
        var deframer = GRPCDeframer(messageBytesMax: .max)
        var hasHead = false
        /// Of a call with one answer.
        var answer = Bytes()
        var chargedBytes = 0
        /// There was no room for the answer, which is let go of.
        var isOverloaded = false
    }

    /// An answer is held whole, as protobuf, as a tree and as text.
    private static let costPerByte = 4

    private let client: any HTTPServerStream
    private let route: GatewayRoute
    private let state = Locked(State())

    init(_ client: any HTTPServerStream, _ route: GatewayRoute) {
        self.client = client
        self.route = route
    }

    deinit { client.budget?.give(state.withLock { $0.chargedBytes }) }

    // MARK: What a method answers

    func respond(status: Int, headers: HTTPHeaders, body: ByteBuffer?, trailers: HTTPHeaders) {
        if let body { send(body) }
        end(trailers: trailers)
    }

    /// Waits for the first message: a call that fails before has an HTTP status of its own.
    func sendHead(status: Int, headers: HTTPHeaders) {}

    func send(_ bytes: ByteBuffer) {
        let (messages, isFirst) = state.withLock { state -> ([Bytes], Bool) in
            guard route.flow == .stream || charge(bytes.readableBytes, &state) else {
                return ([], false)
            }
            state.deframer.append(bytes)
            var messages: [Bytes] = []
            while let message = try? state.deframer.next() { messages.append(message) }
            guard route.flow == .stream else {
                // Answered at the end, when it is known to be the answer.
                state.answer = messages.first ?? state.answer
                return ([], false)
            }
            defer { state.hasHead = state.hasHead || !messages.isEmpty }
            return (messages, !state.hasHead && !messages.isEmpty)
        }
        if isFirst { client.sendHead(status: 200, headers: gatewayHeaders) }
        for message in messages {
            do {
                send(["result": try ProtobufToJSON().decode(message, as: route.response)])
            } catch {
                send(Self.streamError(GRPCStatus(.internalError, "\(error)")))
            }
        }
    }

    private func charge(_ bytes: Int, _ state: inout State) -> Bool {
        guard !state.isOverloaded, let budget else { return !state.isOverloaded }
        let cost = Self.costPerByte * bytes
        state.chargedBytes += cost
        guard !budget.take(cost) else { return true }
        state = State(chargedBytes: state.chargedBytes, isOverloaded: true)
        return false
    }

    func end(trailers: HTTPHeaders) {
        var status = GRPCStatus(trailers: trailers) ?? .ok
        if state.withLock({ $0.isOverloaded }) { status = .tooManyRequests }
        guard status.code == .ok, route.flow == .unary else { return fail(status) }
        do {
            let message = state.withLock { $0.answer }
            client.answer(200, try ProtobufToJSON().decode(message, as: route.response))
        } catch {
            fail(GRPCStatus(.internalError, "\(error)"))
        }
    }

    /// Ends a call that never reached its method, failed there, or was a stream.
    func fail(_ status: GRPCStatus) {
        guard route.flow == .stream else { return client.answer(status.httpStatus, status.json) }
        let hasHead = state.withLock { state in
            defer { state.hasHead = true }
            return state.hasHead
        }
        if !hasHead { client.sendHead(status: status.httpStatus, headers: gatewayHeaders) }
        if status.code != .ok { send(Self.streamError(status)) }
        client.end()
    }

    private func send(_ line: JSON) {
        client.send(ByteBuffer(bytes: line.bytes() + [0x0a]))
    }

    private static func streamError(_ status: GRPCStatus) -> JSON {
        [
            "error": [
                "grpc_code": .integer(Int64(status.code.rawValue)),
                "http_code": .integer(Int64(status.httpStatus)),
                "message": .string(status.message),
            ]
        ]
    }

    // MARK: The client's side as it is

    var eventLoop: any EventLoop { client.eventLoop }
    var budget: MemoryBudget? { client.budget }
    var bufferedBytes: Int { client.bufferedBytes }

    func whenWritable(_ callback: @escaping @Sendable () -> Void) {
        client.whenWritable(callback)
    }

    func reset() { client.reset() }

    /// The window is the client's: `GatewayReceiver` gives it back when bytes come in.
    func consumed(_ count: Int) {}
}

let gatewayHeaders: HTTPHeaders = ["content-type": "application/json"]

extension HTTPServerStream {
    /// A whole answer in JSON.
    func answer(_ status: Int, _ json: JSON) {
        let body = ByteBuffer(bytes: json.bytes())
        var headers = gatewayHeaders
        headers.add("content-length", "\(body.readableBytes)")
        respond(status: status, headers: headers, body: body)
    }
}

extension GRPCStatus {
    /// As grpc-gateway tells an error; `error` is what versions before 3.6 called the message.
    var json: JSON {
        [
            "error": .string(message), "code": .integer(Int64(code.rawValue)),
            "message": .string(message),
        ]
    }

    /// grpc-gateway's `HTTPStatusFromCode`.
    var httpStatus: Int {
        switch code {
        case .ok: 200
        case .invalidArgument, .failedPrecondition, .outOfRange: 400
        case .unauthenticated: 401
        case .permissionDenied: 403
        case .notFound: 404
        case .alreadyExists, .aborted: 409
        case .resourceExhausted: 429
        case .cancelled: 499
        case .unknown, .internalError, .dataLoss: 500
        case .unimplemented: 501
        case .unavailable: 503
        case .deadlineExceeded: 504
        }
    }
}
