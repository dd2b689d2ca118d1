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
        router.stream("/v3lockpb.Lock/Lock", kind: .unary) { _, stream in
            RecipeCall { message in
                Claim.serve(message, stream, store, headers) { _, held in .key(held.key) }
            }
        }
        router.unary("/v3lockpb.Lock/Unlock") { message, _, reply in unlock(message, reply) }
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
