import Basics
import EtcdMessages
import HTTP
import Keyspace
import Store

/// `v3lockpb.Lock`: locks that the server waits for.
struct LockService: StoreService {
    var store: any Store
    let access: AccessControl
    let headers: HeaderSource

    func register(on router: inout GRPCRouter) {
        router.stream("/v3lockpb.Lock/Lock", kind: .unary) { context, stream in
            RecipeCall(stream) { message in
                guard let store = admitted(context, stream)?.store else { return nil }
                return Claim.serve(message, stream, store, headers) { _, held in .key(held.key) }
            }
        }
        router.unary("/v3lockpb.Lock/Unlock") { message, context, reply in
            admitted(context, reply)?.unlock(message, reply)
        }
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
