import Basics
import EtcdMessages
import HTTP
import Keyspace
import NIOCore
import Store

/// `etcdserverpb.Lease`.
struct LeaseService: StoreService {
    var store: any Store
    let access: AccessControl
    let headers: HeaderSource

    func register(on router: inout GRPCRouter) {
        router.unary("/etcdserverpb.Lease/LeaseGrant") { message, context, reply in
            admitted(context, reply)?.grant(message, reply)
        }
        router.unary("/etcdserverpb.Lease/LeaseRevoke") { message, context, reply in
            admitted(context, reply)?.revoke(message, reply)
        }
        router.unary("/etcdserverpb.Lease/LeaseTimeToLive") { message, context, reply in
            admitted(context, reply)?.timeToLive(message, reply)
        }
        router.unary(empty: "/etcdserverpb.Lease/LeaseLeases") { context, reply in
            admitted(context, reply)?.list(reply)
        }
        router.stream("/etcdserverpb.Lease/LeaseKeepAlive", kind: .bidirectional) {
            context, stream in
            KeepAliveReceiver(access: access, context: context, headers: headers, stream: stream)
        }
    }

    private func grant(_ message: Bytes, _ reply: GRPCReply) {
        let request = decode(reply) { () throws(DecodingFailure) in
            try LeaseRequest(grant: message)
        }
        guard let request else { return }
        store.leaseGrant(id: request.id, ttlSeconds: request.ttlSeconds) { result in
            withHeader { header in reply(result) { granted($0, header).protobufBytes } }
        }
    }

    private func revoke(_ message: Bytes, _ reply: GRPCReply) {
        guard let request = lease(message, reply) else { return }
        store.leaseRevoke(id: request.id) { result in
            reply(result) {
                HeaderOnlyResponse(header: headers.header(revision: $0)).protobufBytes
            }
        }
    }

    private func timeToLive(_ message: Bytes, _ reply: GRPCReply) {
        guard let request = lease(message, reply) else { return }
        store.leaseTimeToLive(id: request.id, keys: request.wantsKeys) { result in
            withHeader { header in
                reply(timeToLive(result, id: request.id, header)) { $0.protobufBytes }
            }
        }
    }

    private func list(_ reply: GRPCReply) {
        store.leases { result in
            withHeader { header in
                reply(result) { LeaseListResponse(header: header, ids: $0).protobufBytes }
            }
        }
    }

    /// A header with the store's revision as it is now.
    private func withHeader(_ body: @escaping @Sendable (ResponseHeader) -> Void) {
        store.status { result in
            body((try? result.get()).map(HeaderSource.header) ?? headers.header())
        }
    }

    private func lease(_ message: Bytes, _ reply: GRPCReply) -> LeaseRequest? {
        decode(reply) { () throws(DecodingFailure) in try LeaseRequest(protobuf: message) }
    }

    private func decode(
        _ reply: GRPCReply, _ read: () throws(DecodingFailure) -> LeaseRequest
    ) -> LeaseRequest? {
        do throws(DecodingFailure) {
            return try read()
        } catch {
            reply(GRPCStatus(error))
            return nil
        }
    }

    private func granted(_ status: LeaseStatus, _ header: ResponseHeader) -> LeaseResponse {
        var response = LeaseResponse(header: header)
        response.id = status.id
        response.ttlSeconds = status.grantedTTLSeconds
        return response
    }

    /// A lease that is gone is not an error here, but a TTL of -1.
    private func timeToLive(
        _ result: Result<LeaseStatus, StoreError>, id: Int64, _ header: ResponseHeader
    ) -> Result<LeaseResponse, StoreError> {
        var response = LeaseResponse(header: headers.header())
        response.id = id
        switch result {
        case .success(let status):
            response.ttlSeconds = status.remainingTTLSeconds
            response.grantedTTLSeconds = status.grantedTTLSeconds
            response.keys = status.keys
        case .failure(let error) where error.code == .notFound:
            response.ttlSeconds = -1
        case .failure(let error):
            return .failure(error)
        }
        return .success(response)
    }
}

/// One `LeaseKeepAlive` stream: an answer for every message, in the order the store gives them.
private final class KeepAliveReceiver: GRPCMessageReceiver, @unchecked Sendable {
    // Sendable because `pending` and `isOver` belong to the stream's event loop.
    private let access: AccessControl
    private let context: GRPCContext
    private let headers: HeaderSource
    private let stream: GRPCServerStream
    private var pending = 0
    private var isOver = false
    private var isFinished = false

    init(
        access: AccessControl, context: GRPCContext, headers: HeaderSource,
        stream: GRPCServerStream
    ) {
        self.access = access
        self.context = context
        self.headers = headers
        self.stream = stream
    }

    func receive(_ message: Bytes) {
        guard !isFinished else { return }
        let request: LeaseRequest
        do throws(DecodingFailure) {
            request = try LeaseRequest(protobuf: message)
        } catch {
            return finish(GRPCStatus(error))
        }
        guard stream.isWritable else {
            return finish(GRPCStatus(.resourceExhausted, StoreError.tooManyRequests.message))
        }
        let store: any Store
        do throws(StoreError) { store = try access.store(context) } catch {
            return finish(GRPCStatus(error))
        }
        pending += 1
        store.leaseKeepAlive(id: request.id) { result in
            self.stream.eventLoop.execute { self.answer(result, id: request.id) }
        }
    }

    private func answer(_ result: Result<LeaseStatus, StoreError>, id: Int64) {
        pending -= 1
        guard !isFinished else { return }
        var response = LeaseResponse(header: headers.header())
        response.id = id
        switch result {
        case .success(let status): response.ttlSeconds = status.grantedTTLSeconds
        // A lease that is gone answers a TTL of 0.
        case .failure(let error) where error.code == .notFound: break
        case .failure(let error): return finish(GRPCStatus(error))
        }
        stream.send(response.protobufBytes)
        if isOver, pending == 0 { finish(.ok) }
    }

    func receiveEnd() {
        isOver = true
        if pending == 0 { finish(.ok) }
    }

    func cancelled() { isFinished = true }

    private func finish(_ status: GRPCStatus) {
        guard !isFinished else { return }
        isFinished = true
        stream.finish(status)
    }
}
