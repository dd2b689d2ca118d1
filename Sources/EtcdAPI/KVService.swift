import Basics
import EtcdMessages
import HTTP
import Keyspace
import Store

/// `etcdserverpb.KV`.
struct KVService: StoreService {
    var store: any Store
    let access: AccessControl
    let headers: HeaderSource

    func register(on router: inout GRPCRouter) {
        router.unary("/etcdserverpb.KV/Range") { message, context, reply in
            admitted(context, reply)?.range(message, reply)
        }
        router.stream("/etcdserverpb.KV/RangeStream") { context, stream in
            RecipeCall { admitted(context, stream)?.rangeStream($0, stream) }
        }
        router.unary("/etcdserverpb.KV/Put") { message, context, reply in
            admitted(context, reply)?.put(message, reply)
        }
        router.unary("/etcdserverpb.KV/DeleteRange") { message, context, reply in
            admitted(context, reply)?.delete(message, reply)
        }
        router.unary("/etcdserverpb.KV/Txn") { message, context, reply in
            admitted(context, reply)?.transaction(message, reply)
        }
        router.unary("/etcdserverpb.KV/Compact") { message, context, reply in
            admitted(context, reply)?.compact(message, reply)
        }
    }

    /// Decodes and checks a request; what is wrong with it is answered at once.
    private func decode<Request: ProtobufDecodable>(
        _ message: Bytes, _ reply: GRPCReply, _ check: (Request) throws(StoreError) -> Void
    ) -> Request? {
        guard message.count <= Limits.requestBytesMax else {
            reply(GRPCStatus(StoreError.requestTooLarge))
            return nil
        }
        do {
            let request = try Request(protobuf: message)
            try check(request)
            return request
        } catch let failure as DecodingFailure {
            reply(GRPCStatus(failure))
        } catch let error as StoreError {
            reply(GRPCStatus(error))
        } catch {
            reply(GRPCStatus(.unknown, "\(error)"))
        }
        return nil
    }

    private func range(_ message: Bytes, _ reply: GRPCReply) {
        guard let request: RangeRequest = decode(message, reply, RequestCheck.range) else {
            return
        }
        store.range(request, measure: Self.measure) { result in
            switch result {
            case .success where reply.isOverloaded: reply(.tooManyRequests)
            case .success(.whole(let response)):
                reply(encode(response, into: ProtobufWriter(reserving: 256)))
            case .success(.pieces(let pieces)):
                let header = headers.header(revision: pieces.summary.revision)
                RangeSender.send(pieces, header, reply)
            case .failure(let error): reply(GRPCStatus(error))
            }
        }
    }

    private static let measure: RangeAnswer.Measure = { keyValue, keyBytes, valueBytes in
        keyValue.elementBytes(keyBytes: keyBytes, valueBytes: valueBytes)
    }

    /// etcd 3.7's `RangeStream`, with orders and filters too, which etcd refuses.
    private func rangeStream(_ message: Bytes, _ stream: GRPCServerStream) -> (() -> Void)? {
        do {
            let request = try RangeRequest(protobuf: message)
            try RequestCheck.range(request)
            store.range(request, measure: Self.measure) { result in
                switch result {
                case .success(let answer): RangeStreamSender.send(answer, headers, stream)
                case .failure(let error): stream.finish(GRPCStatus(error))
                }
            }
        } catch let failure as DecodingFailure {
            stream.finish(GRPCStatus(failure))
        } catch let error as StoreError {
            stream.finish(GRPCStatus(error))
        } catch {
            stream.finish(GRPCStatus(.unknown, "\(error)"))
        }
        return nil
    }

    private func encode(_ response: RangeResponse, into writer: ProtobufWriter) -> Bytes {
        var writer = writer
        response.encode(to: &writer, header: headers.header(revision: response.revision))
        return writer.bytes
    }

    /// A put or delete is a transaction of one operation: that is how it learns its revision.
    private func one(
        _ operation: Operation, _ reply: GRPCReply,
        _ encode: @escaping @Sendable (OperationResponse?, ResponseHeader) -> Bytes
    ) {
        store.transaction(TransactionRequest(success: [operation])) { result in
            reply(result) { encode($0.responses.first, headers.header(revision: $0.revision)) }
        }
    }

    private func put(_ message: Bytes, _ reply: GRPCReply) {
        guard let request: PutRequest = decode(message, reply, RequestCheck.put) else { return }
        one(.put(request), reply) { response, header in
            var writer = ProtobufWriter()
            if case .put(let put)? = response { put.encode(to: &writer, header: header) }
            return writer.bytes
        }
    }

    private func delete(_ message: Bytes, _ reply: GRPCReply) {
        guard let request: DeleteRangeRequest = decode(message, reply, RequestCheck.delete) else {
            return
        }
        one(.deleteRange(request), reply) { response, header in
            var writer = ProtobufWriter()
            if case .deleteRange(let delete)? = response {
                delete.encode(to: &writer, header: header)
            }
            return writer.bytes
        }
    }

    private func transaction(_ message: Bytes, _ reply: GRPCReply) {
        let check = { (request: TransactionRequest) throws(StoreError) in
            try RequestCheck.transaction(request)
        }
        guard let request: TransactionRequest = decode(message, reply, check) else { return }
        store.transaction(request) { result in
            reply(result) { response in
                var writer = ProtobufWriter(reserving: 256)
                response.encode(to: &writer, header: headers.header(revision: response.revision))
                return writer.bytes
            }
        }
    }

    private func compact(_ message: Bytes, _ reply: GRPCReply) {
        guard let request: CompactionRequest = decode(message, reply, { _ in }) else { return }
        store.compact(to: request.revision) { result in
            reply(result) {
                HeaderOnlyResponse(header: headers.header(revision: $0)).protobufBytes
            }
        }
    }
}
