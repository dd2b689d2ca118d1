import Basics
import EtcdMessages
import HTTP
import Keyspace
import Store

/// `/martlet.Store/Commit`: plugin commits, which etcd's wire has no word for.
struct CommitService: StoreService {
    var store: any Store
    let access: AccessControl

    func register(on router: inout GRPCRouter) {
        router.unary("/martlet.Store/Commit", messageBytesMax: Limits.entryBytesMax) {
            message, context, reply in
            let request: CommitRequest
            do throws(DecodingFailure) {
                request = try CommitRequest(protobuf: message)
            } catch {
                return reply(GRPCStatus(error))
            }
            guard request.mutations.count <= Limits.commitMutationsMax else {
                return reply(GRPCStatus(StoreError.tooManyOperations))
            }
            admitted(context, reply)?.store.commit(request) { result in
                reply(result) { $0.protobufBytes }
            }
        }
    }
}
