import Basics
import EtcdMessages
import HTTP
import Keyspace
import Store

/// `etcdserverpb.KV`. An object, so that its closures hold one reference.
final class KVService: Sendable {
    private let access: AccessControl
    private let headers: HeaderSource

    init(access: AccessControl, headers: HeaderSource) {
        self.access = access
        self.headers = headers
    }

    func register(on router: inout GRPCRouter) {
        let access = access
        func unary(
            _ name: String,
            _ method: @escaping @Sendable (Bytes, any Store, GRPCReply) -> Void
        ) {
            router.unary("/etcdserverpb.KV/" + name) { message, context, reply in
                guard let store = access.store(context, reply) else { return }
                method(message, store, reply)
            }
        }
        unary("Range") { self.range($0, $1, $2) }
        unary("Put") { self.put($0, $1, $2) }
        unary("DeleteRange") { self.delete($0, $1, $2) }
        unary("Txn") { self.transaction($0, $1, $2) }
        unary("Compact") { self.compact($0, $1, $2) }
        router.stream("/etcdserverpb.KV/RangeStream") { context, stream in
            RecipeCall(stream) { message in
                do throws(StoreError) {
                    return self.rangeStream(message, try access.store(context), stream)
                } catch {
                    stream.finish(GRPCStatus(error))
                    return nil
                }
            }
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

    private func range(_ message: Bytes, _ store: any Store, _ reply: GRPCReply) {
        let check = { (request: RangeRequest) throws(StoreError) in try request.range.validate() }
        guard let request: RangeRequest = decode(message, reply, check) else { return }
        store.range(request, as: EtcdRangeEncoding(), on: reply.workQueue) { result in
            switch result {
            case .success where reply.isOverloaded: reply(.tooManyRequests)
            case .success(.whole(let summary, let keys)):
                let header = self.headers.header(revision: summary.revision)
                let (head, tail) = summary.around(header: header)
                reply(head, keys, tail)
            case .success(.pieces(let pieces)):
                let header = self.headers.header(revision: pieces.summary.revision)
                RangeSender.send(pieces, header, reply)
            case .failure(let error): reply(GRPCStatus(error))
            }
        }
    }

    /// etcd 3.7's `RangeStream`, with orders and filters too, which etcd refuses.
    private func rangeStream(
        _ message: Bytes, _ store: any Store, _ stream: GRPCServerStream
    ) -> (() -> Void)? {
        do {
            let request = try RangeRequest(protobuf: message)
            try request.range.validate()
            let encoding = EtcdRangeEncoding(wantsTotalsFirst: false)
            store.range(request, as: encoding, on: nil) { result in
                switch result {
                case .success(let answer): RangeStreamSender.send(answer, self.headers, stream)
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

    /// A put or delete is a transaction of one operation: that is how it learns its revision.
    private func one(
        _ operation: Operation, _ store: any Store, _ reply: GRPCReply,
        _ encode: @escaping @Sendable (OperationResponse?, ResponseHeader) -> Bytes
    ) {
        store.transaction(TransactionRequest(success: [operation])) { result in
            reply(result) { encode($0.responses.first, self.headers.header(revision: $0.revision)) }
        }
    }

    private func put(_ message: Bytes, _ store: any Store, _ reply: GRPCReply) {
        let check = { (request: PutRequest) throws(StoreError) in try request.validate() }
        guard let request: PutRequest = decode(message, reply, check) else { return }
        one(.put(request), store, reply) { response, header in
            var writer = ProtobufWriter()
            if case .put(let put)? = response { put.encode(to: &writer, header: header) }
            return writer.bytes
        }
    }

    private func delete(_ message: Bytes, _ store: any Store, _ reply: GRPCReply) {
        let check = { (request: DeleteRangeRequest) throws(StoreError) in
            try request.range.validate()
        }
        guard let request: DeleteRangeRequest = decode(message, reply, check) else { return }
        one(.deleteRange(request), store, reply) { response, header in
            var writer = ProtobufWriter()
            if case .deleteRange(let delete)? = response {
                delete.encode(to: &writer, header: header)
            }
            return writer.bytes
        }
    }

    private func transaction(_ message: Bytes, _ store: any Store, _ reply: GRPCReply) {
        let check = { (request: TransactionRequest) throws(StoreError) in
            try request.validate()
        }
        guard let request: TransactionRequest = decode(message, reply, check) else { return }
        store.transaction(request) { result in
            reply(result) { response in
                var writer = ProtobufWriter(reserving: 256)
                response.encode(
                    to: &writer, header: self.headers.header(revision: response.revision))
                return writer.bytes
            }
        }
    }

    private func compact(_ message: Bytes, _ store: any Store, _ reply: GRPCReply) {
        guard let request: CompactionRequest = decode(message, reply, { _ in }) else { return }
        let answer = { @Sendable (result: Result<Int64, StoreError>) in
            reply(result) {
                HeaderOnlyResponse(header: self.headers.header(revision: $0)).protobufBytes
            }
        }
        store.compact(to: request.revision) { result in
            guard request.isPhysical, case .success(let revision) = result else {
                return answer(result)
            }
            store.whenRemoved(to: request.revision) { answer($0.map { revision }) }
        }
    }
}
