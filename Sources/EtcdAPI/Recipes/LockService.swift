import Basics
import EtcdMessages
import HTTP
import Keyspace
import Store

/// `v3lockpb.Lock`: locks that the server waits for.
struct LockService: Sendable {
    let store: any Store
    let headers: HeaderSource

    func register(on router: inout GRPCRouter) {
        router.stream("/v3lockpb.Lock/Lock") { _, stream in
            RecipeCall { lock($0, stream) }
        }
        router.unary("/v3lockpb.Lock/Unlock") { message, _, reply in unlock(message, reply) }
    }

    private func lock(_ message: Bytes, _ stream: GRPCServerStream) -> (() -> Void)? {
        let request: RecipeRequest
        do throws(DecodingFailure) {
            request = try RecipeRequest(named: message)
        } catch {
            stream.finish(GRPCStatus(error))
            return nil
        }
        let claim = Claim(
            store, on: stream.eventLoop, name: request.name, lease: request.lease
        ) { result in
            switch result {
            case .success(let held):
                let header = headers.header(revision: held.storeRevision)
                stream.answer(RecipeResponse(header: header, .key(held.key)).protobufBytes)
            case .failure(let status): stream.finish(status)
            }
        }
        claim.begin()
        return { claim.cancel() }
    }

    private func unlock(_ message: Bytes, _ reply: GRPCReply) {
        do throws(DecodingFailure) {
            let key = try RecipeRequest(named: message).name
            guard !key.isEmpty else { return reply(GRPCStatus(StoreError.emptyKey)) }
            let request = TransactionRequest(success: [.deleteRange(DeleteRangeRequest(.key(key)))])
            store.transaction(request) { result in
                reply(result) {
                    RecipeResponse(header: headers.header(revision: $0.revision)).protobufBytes
                }
            }
        } catch {
            reply(GRPCStatus(error))
        }
    }
}
