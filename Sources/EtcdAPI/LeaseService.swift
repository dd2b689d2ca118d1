import Basics
import EtcdMessages
import HTTP
import Keyspace
import NIOCore
import Store

/// `etcdserverpb.Lease`.
struct LeaseService: Sendable {
    let store: any Store
    let headers: HeaderSource

    func register(on router: inout GRPCRouter) {
        router.unary("/etcdserverpb.Lease/LeaseGrant") { message, _, reply in
            guard
                let request = decode(
                    reply,
                    { () throws(DecodingFailure) in
                        try LeaseRequest(grant: message)
                    })
            else { return }
            store.leaseGrant(id: request.id, ttlSeconds: request.ttlSeconds) { result in
                withHeader { header in reply(result) { granted($0, header).protobufBytes } }
            }
        }
        router.unary("/etcdserverpb.Lease/LeaseRevoke") { message, _, reply in
            guard let request = lease(message, reply) else { return }
            store.leaseRevoke(id: request.id) { result in
                reply(result) {
                    HeaderOnlyResponse(header: headers.header(revision: $0)).protobufBytes
                }
            }
        }
        router.unary("/etcdserverpb.Lease/LeaseTimeToLive") { message, _, reply in
            guard let request = lease(message, reply) else { return }
            store.leaseTimeToLive(id: request.id, keys: request.wantsKeys) { result in
                withHeader { header in
                    reply(timeToLive(result, id: request.id, header)) { $0.protobufBytes }
                }
            }
        }
        router.unary("/etcdserverpb.Lease/LeaseLeases") { _, _, reply in
            store.leases { result in
                withHeader { header in
                    reply(result) { LeaseListResponse(header: header, ids: $0).protobufBytes }
                }
            }
        }
        router.stream("/etcdserverpb.Lease/LeaseKeepAlive", kind: .bidirectional) { _, stream in
            KeepAliveReceiver(store: store, headers: headers, stream: stream)
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
        var response = LeaseResponse(header: header)
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
    private let store: any Store
    private let headers: HeaderSource
    private let stream: GRPCServerStream
    private var pending = 0
    private var isOver = false
    private var isFinished = false

    init(store: any Store, headers: HeaderSource, stream: GRPCServerStream) {
        self.store = store
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
